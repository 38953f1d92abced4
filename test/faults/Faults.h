//===- Faults.h - passes that break one thing each ------------------------===//
//
// tile -> tile, of tests alone. See Faults.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FAULTS_FAULTS_H
#define CORELLAMA_TEST_FAULTS_FAULTS_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace corellama::test {

/// Something that is computed wrongly: how many places of a module at phase
/// tile were changed.
struct Fault {
  llvm::StringLiteral name;
  llvm::StringLiteral what;
  unsigned (*plant)(mlir::ModuleOp module);
};

llvm::ArrayRef<Fault> allFaults();

} // namespace corellama::test

#endif // CORELLAMA_TEST_FAULTS_FAULTS_H
