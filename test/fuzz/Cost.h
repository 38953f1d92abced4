//===- Cost.h - memory and time that a reader takes -------------*- C++ -*-===//
//
// A call -> the bytes that it took from the heap and its time, and whether an
// input may cost that. A file of its own because the targets of all containers
// of checkpoints judge by the same bounds.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_COST_H
#define CORELLAMA_TEST_FUZZ_COST_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstddef>
#include <string>

namespace corellama::test {

struct Cost {
  size_t peak = 0;    ///< bytes that were allocated at once
  double seconds = 0; ///< of this thread's processor time

  /// The larger one of each.
  void add(const Cost &other);
  /// What is wrong, or nothing: all that is allocated at once may not exceed
  /// twice the bytes of the files, beside what does not depend on them; nor the
  /// time a second, which the sanitizers' own time is part of.
  std::string fault(size_t fileBytes, size_t fixedBytes) const;
};

/// Counts malloc and everything above it, in LLVM's shared library, too, by
/// AddressSanitizer's hooks; without AddressSanitizer no bytes are counted.
Cost measure(llvm::function_ref<void()> call);

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_COST_H
