//===- GeneratedCode.cpp - does the code's description make sense ---------===//
//
// See GeneratedCode.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Executor/GeneratedCode.h"

#include "runtime/ABI/Kernel.h"

namespace corellama::runtime {

std::optional<Error> checkVersion(uint32_t version) {
  if (version == abi::kVersion)
    return std::nullopt;
  return Error{"the generated code is of interface version " +
               std::to_string(version) + ", this runtime knows version " +
               std::to_string(abi::kVersion) + "; compile the model again"};
}

Error damagedProgram() {
  return Error{"the generated code and the image do not fit each other; the "
               "program is damaged, compile it again"};
}

} // namespace corellama::runtime
