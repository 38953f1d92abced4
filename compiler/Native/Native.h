//===- Native.h - compiled code for `corellama eval` ----------------------===//
//
// What `eval` takes from the compiler: the weights of a checkpoint, and
// functions as native code, called and timed. A folder of its own because the
// evaluator, which is the reference for it, shares no code with it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_NATIVE_NATIVE_H
#define CORELLAMA_COMPILER_NATIVE_NATIVE_H

#include "compiler/Native/PassAdder.h"
#include "dialects/Llama/Reference/EvalMain.h"

namespace corellama {

/// Services for evalMain; `registry`, which knows all dialects, outlives them.
/// `behindTile`: see buildNativeModule.
llama::reference::EvalServices
makeEvalServices(const mlir::DialectRegistry &registry,
                 const PassAdder &behindTile = {});

} // namespace corellama

#endif // CORELLAMA_COMPILER_NATIVE_NATIVE_H
