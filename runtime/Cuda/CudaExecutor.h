//===- CudaExecutor.h - a model on a GPU ----------------------------------===//
//
// Owns the memory of a GPU that generated code reads and writes, and runs its
// steps: the host's function of a step calls corellama_launch for each kernel,
// in one stream. Steps of one row become graphs when they are first run. Logits
// come to the host, whose sampler chooses, or the device chooses:
// TokenLoop.cpp.
//
// All but graphs is freed at once, with the driver's context.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CUDA_CUDAEXECUTOR_H
#define CORELLAMA_RUNTIME_CUDA_CUDAEXECUTOR_H

#include "runtime/ABI/Device.h"
#include "runtime/Cuda/Devices.h"
#include "runtime/Cuda/Driver.h"
#include "runtime/Cuda/MemoryPlan.h"
#include "runtime/Executor/Backend.h"
#include "runtime/KVCache/RopeTable.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace corellama::runtime::cuda {

class CudaExecutor : public Executor, public TokenLoop {
public:
  /// The driver is initialised. Program and image must outlive the executor.
  static Result<std::unique_ptr<Executor>>
  create(std::unique_ptr<Driver> driver, const DeviceInfo &device,
         const abi::DeviceProgram &program, const MappedImage &image,
         const ExecutorSettings &settings);
  ~CudaExecutor() override;

  std::optional<Error> append(std::span<const int32_t> ids,
                              uint64_t first) override;
  Result<std::span<const float>> logits(std::span<const int32_t> rows) override;
  uint64_t truncate(uint64_t tokens) override {
    return plan.cache.truncate(tokens, forms.back().rows);
  }
  TokenLoop *loop() override { return program.choose ? this : nullptr; }
  Result<std::vector<int64_t>>
  trace(std::span<const Dispatch> dispatches) override;
  std::optional<Error> close() override;

  // TokenLoop.cpp
  bool takes(const SamplerSettings &settings) const override;
  std::optional<Error> begin(const Sampler &sampler, int32_t row, uint64_t most,
                             std::span<const int32_t> ends) override;
  Result<std::span<const Id>> next() override;
  Result<uint64_t> end(uint64_t tokens) override;

  /// What corellama_launch does. An error is kept, for run() to return.
  void launch(uint32_t kernel, abi::Context context, uint32_t layer,
              uint64_t blocks) {
    launch(kernel, context, layer, blocks, mayOverlap);
  }

private:
  CudaExecutor(std::unique_ptr<Driver> driver, const DeviceInfo &device,
               const abi::DeviceProgram &program, const MappedImage &image,
               MemoryPlan plan)
      : driver(std::move(driver)), number(device.number), program(program),
        forms(program.entries, program.entryCount),
        heads(program.lmHeads, program.lmHeadCount), image(image),
        plan(std::move(plan)) {}

  void launch(uint32_t kernel, abi::Context context, uint32_t layer,
              uint64_t blocks, bool overlaps);
  std::optional<Error> start(const DeviceInfo &device, bool (*goesOn)());
  std::optional<Error> loadModule(const DeviceInfo &device);
  std::optional<Error> allocate();
  std::optional<Error> copyTables();
  std::optional<Error> reachRope(uint64_t positions);
  /// Calls the driver, unless that failed before: its first error is what every
  /// later call gets.
  template <typename... Parameters, typename... Arguments>
  const std::optional<Error> &ask(const Call<Parameters...> &function,
                                  Arguments... arguments) {
    if (!failure)
      failure = (*driver)(function, arguments...);
    return failure;
  }
  std::optional<Error> run(const abi::DeviceEntry &step, uint8_t *block,
                           Address to, uint64_t bytes, GraphExecHandle &graph);
  /// Makes a graph of what `body` launches, the first time, and launches it.
  std::optional<Error> replay(GraphExecHandle &graph,
                              const std::function<void()> &body);
  std::optional<Error> copyLoop();
  std::optional<Error> collect();

  const std::unique_ptr<Driver> driver;
  const DeviceNumber number;
  bool hasContext = false;
  const abi::DeviceProgram &program;
  const std::span<const abi::DeviceEntry> forms, heads;
  const MappedImage image;
  MemoryPlan plan;
  RopeTable rope;
  /// Positions of the RoPE table that the device has.
  uint64_t ropeFilled = 0;

  StreamHandle stream = nullptr;
  /// The last call's block is copied, so that the host may write the next.
  EventHandle isCopied = nullptr;
  std::vector<FunctionHandle> functions;
  /// Whether the kernels of the module that was loaded wait for the launches
  /// before theirs, and the driver lets them begin early.
  bool mayOverlap = false;
  Address weights = 0, keys = 0, values = 0, workspace = 0, ropeRows = 0,
          offsets = 0, regions = 0, stepBlock = 0, headBlock = 0, loopBlock = 0;
  /// Pinned copies of the last three, and where logits come to.
  uint8_t *hostStep = nullptr, *hostHead = nullptr, *hostLoop = nullptr;
  float *hostLogits = nullptr;
  /// An append and a head of one row, and the loop's steps.
  GraphExecHandle rowGraph = nullptr, headGraph = nullptr, loopGraph = nullptr;

  /// The token loop, as far as this machine knows of it.
  struct Loop {
    /// Positions before it, the most ids, how many the device was asked for,
    /// and how many came.
    uint64_t first = 0, most = 0, asked = 0, taken = 0;
    /// Copies of the device's Choice, up to its ids: while one is read the next
    /// comes. How many were asked for, and how many were read.
    static constexpr uint64_t kCopies = 2;
    abi::Choice *copies[kCopies] = {};
    EventHandle isThere[kCopies] = {};
    uint64_t sent = 0, read = 0;
    Id ids[abi::kChosenIds] = {};
  } loopState;

  /// What kernels and the host's function of a step get; addresses are the
  /// device's. The second is of the loop's steps.
  abi::Context call{}, loopCall{};
  /// Whether a call's lists have been copied, which isCopied is for.
  bool hasCopied = false;
  /// The first error since the start.
  std::optional<Error> failure;
};

} // namespace corellama::runtime::cuda

#endif // CORELLAMA_RUNTIME_CUDA_CUDAEXECUTOR_H
