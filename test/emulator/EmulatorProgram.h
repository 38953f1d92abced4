//===- EmulatorProgram.h - a checkpoint, run as GPU code on the emulator --===//
//
// What a program for a GPU would do, in this process: a checkpoint through all
// phases to kernels on the emulator, its weights packed, its steps run. A
// library of its own, because it needs the whole compiler and the Runner does
// not.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_EMULATORPROGRAM_H
#define CORELLAMA_TEST_EMULATOR_EMULATORPROGRAM_H

#include "compiler/Checkpoint/Checkpoint.h"
#include "test/emulator/EmulatorModule.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>

namespace corellama {

struct EmulatorProgramOptions {
  /// A GPU's name: "cuda:sm_80".
  std::string target;
  /// As the driver's: what rows are rounded to, and the cache's type.
  std::string activations, cacheType;
  /// The cache's capacity in positions, at most the checkpoint's context.
  uint64_t positions = 0;
  /// The most rows of a call, for each form, ascending.
  std::vector<int64_t> rows = {1};
  EmulatorOptions fibres;
};

class EmulatorProgram {
public:
  /// Gets the logits after one token, `vocabulary` floats; keeps no reference.
  using LogitsSink = llvm::function_ref<llvm::Error(llvm::ArrayRef<float>)>;

  /// Prints nothing: the error has the message of the failed pass.
  static llvm::Expected<std::unique_ptr<EmulatorProgram>>
  compile(const checkpoint::Checkpoint &checkpoint,
          const EmulatorProgramOptions &options);

  /// Runs the tokens that follow those before, `most` in a call or fewer where
  /// no form has room for so many. `sink` is called for each token, in order.
  llvm::Error append(llvm::ArrayRef<int32_t> ids, uint64_t most,
                     LogitsSink sink);

private:
  EmulatorProgram(EmulatorModule module, KernelContext context,
                  const EmulatorProgramOptions &options, uint64_t vocabulary)
      : module(std::move(module)), context(std::move(context)),
        fibres(options.fibres), positions(options.positions),
        vocabularySize(vocabulary) {}

  llvm::Error call(llvm::ArrayRef<int32_t> ids, LogitsSink sink);

  EmulatorModule module;
  KernelContext context;
  EmulatorOptions fibres;
  uint64_t positions;
  uint64_t vocabularySize;
  uint64_t position = 0;
};

} // namespace corellama

#endif // CORELLAMA_TEST_EMULATOR_EMULATORPROGRAM_H
