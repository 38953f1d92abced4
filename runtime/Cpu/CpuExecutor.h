//===- CpuExecutor.h - a model on the CPUs of this machine ----------------===//
//
// Owns all that generated code reads and writes besides the weights (workers,
// workspace, cache, RoPE table, the rows of the call) and calls its steps: of
// its forms, and of those of its head, the first that has room.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CPU_CPUEXECUTOR_H
#define CORELLAMA_RUNTIME_CPU_CPUEXECUTOR_H

#include "runtime/ABI/Kernel.h"
#include "runtime/Executor/Backend.h"
#include "runtime/KVCache/KVCache.h"
#include "runtime/KVCache/RopeTable.h"
#include "runtime/Memory/Reservation.h"
#include "runtime/Threads/ThreadPool.h"

#include <memory>
#include <span>

namespace corellama::runtime {

class CpuExecutor : public Executor {
public:
  /// Program and image must outlive it.
  static Result<std::unique_ptr<Executor>>
  create(const abi::Program &program, const MappedImage &image,
         const ExecutorSettings &settings);

  std::optional<Error> append(std::span<const int32_t> ids,
                              uint64_t first) override;
  Result<std::span<const float>> logits(std::span<const int32_t> rows) override;
  uint64_t truncate(uint64_t tokens) override {
    return cache.truncate(tokens, forms.back().rows);
  }
  Result<std::vector<int64_t>>
  trace(std::span<const Dispatch> dispatches) override;

private:
  CpuExecutor(const abi::Program &program, const MappedImage &image)
      : program(program), forms(program.entries, program.entryCount),
        heads(program.lmHeads, program.lmHeadCount),
        vocabulary(image.header->vocabulary) {}

  const abi::Program &program;
  const std::span<const abi::Entry> forms, heads;
  const uint64_t vocabulary;
  KVCache cache;
  RopeTable rope;
  Reservation workspace;
  Reservation tokens;
  Reservation positions;
  Reservation wantedRows;
  std::unique_ptr<ThreadPool> threads;
  /// What generated code is called with.
  abi::Context call{};
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_CPU_CPUEXECUTOR_H
