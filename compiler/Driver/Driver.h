//===- Driver.h - one invocation of corellama -----------------------------===//
//
// Arguments -> a file or text, diagnostics on stderr and an exit status.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_DRIVER_H
#define CORELLAMA_COMPILER_DRIVER_DRIVER_H

namespace corellama {

/// Runs `corellama` with main's arguments. 0: done; 1: an error, one line on
/// stderr; 2: the arguments are wrong.
int driverMain(int argc, char **argv);

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_DRIVER_H
