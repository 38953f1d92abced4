//===- StudyFunction.h - a function by linalg and upstream's lowering -----===//
//
// For `corellama eval --native --lowering`: the second meaning of the ops of a
// function (passes/Study), compiled by upstream's passes and called. Apart from
// NativeFunction because nothing of it is the path of a program.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_NATIVE_STUDYFUNCTION_H
#define CORELLAMA_COMPILER_NATIVE_STUDYFUNCTION_H

#include "dialects/Llama/Reference/EvalMain.h"

namespace corellama {

/// The results of a call of `function`. With `options.phases` its linalg and
/// its llvm are written there. Weights are arguments; what attention reads the
/// function appends itself.
llvm::Expected<std::vector<llama::reference::Datum>>
callStudyFunction(mlir::func::FuncOp function,
                  llvm::ArrayRef<llama::reference::Datum> arguments,
                  const llama::reference::EvalOptions &options);

} // namespace corellama

#endif // CORELLAMA_COMPILER_NATIVE_STUDYFUNCTION_H
