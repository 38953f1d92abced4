//===- Backend.h - the kind of machine that a program is for --------------===//
//
// What a program's main asks before its model runs: can this machine run the
// generated code, which of it, and what runs it. A program is linked with one
// of the libraries that define createBackend: runtime/Cpu or runtime/Cuda. So a
// program for a CPU has nothing of a GPU's in it, and both have the same main.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_EXECUTOR_BACKEND_H
#define CORELLAMA_RUNTIME_EXECUTOR_BACKEND_H

#include "runtime/Executor/Executor.h"
#include "runtime/Weights/MappedImage.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace corellama::runtime {

/// What is to be known of the code that runs.
struct CodeFacts {
  /// The most rows of a call, and of those whose logits are asked for at once.
  uint64_t rows = 0, wanted = 0;
  uint64_t kernels = 0;
  /// Its place in the list of the program's targets, as --version has it.
  uint64_t variant = 0;
};

struct ExecutorSettings {
  /// The most positions of the cache.
  uint64_t context = 0;
  /// Workers of a CPU; none: one for each CPU that this process may use.
  std::optional<uint32_t> threads;
  /// The number of a GPU; none: the first that can run the program.
  std::optional<uint32_t> device;
  /// Asked while a start takes long; it ends with an error if this is false.
  bool (*goesOn)() = [] { return true; };
};

/// What a program for a GPU can be asked; it needs no model for it.
class DeviceQuestions {
public:
  virtual ~DeviceQuestions() = default;

  /// The GPUs of this machine, a line each, and whether they can run the
  /// program.
  virtual Result<std::string> listDevices() = 0;
  /// Memory by kind for a cache of `context` positions, the launches of a step
  /// of one row, and what it can reach where `gigabytes` (10^9 bytes) a second
  /// are read: for each target. Needs no GPU.
  virtual Result<std::string> plan(const MappedImage &image, uint64_t context,
                                   double gigabytes) = 0;
};

class Backend {
public:
  virtual ~Backend() = default;

  /// Null: the program is for a CPU.
  virtual DeviceQuestions *devices() { return nullptr; }

  /// Finds the code that this machine runs: of the target `name`, if given. No
  /// generated code runs before this.
  virtual std::optional<Error>
  choose(const std::optional<std::string> &name) = 0;
  /// The targets of the program's code, and of several which one was chosen.
  virtual std::string describe() const = 0;
  /// Of the code that was chosen; of several targets for GPUs `kernels` and
  /// `variant` are known when the model has started.
  virtual CodeFacts facts() const = 0;

  /// Starts it. Backend and image must outlive the executor.
  virtual Result<std::unique_ptr<Executor>>
  start(const MappedImage &image, const ExecutorSettings &settings) = 0;
};

/// The only one of a program.
std::unique_ptr<Backend> createBackend();

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_EXECUTOR_BACKEND_H
