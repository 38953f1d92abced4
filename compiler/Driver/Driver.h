//===- Driver.h - one invocation of corellama -----------------------------===//
//
// Arguments -> a file or text, diagnostics on stderr and an exit status.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_DRIVER_H
#define CORELLAMA_COMPILER_DRIVER_DRIVER_H

#include "compiler/Native/PassAdder.h"

namespace corellama {

/// Runs `corellama` with main's arguments. 0: done; 1: an error, one line on
/// stderr; 2: the arguments are wrong. `behindTile` is for `eval --native`.
int driverMain(int argc, char **argv, const PassAdder &behindTile = {});

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_DRIVER_H
