//===- Progress.h - what the compiler is doing, on a terminal -------------===//
//
// One line on standard error that is overwritten, and gone at the end. Nothing
// at all where standard error is no terminal.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_PROGRESS_H
#define CORELLAMA_COMPILER_DRIVER_PROGRESS_H

#include "llvm/ADT/Twine.h"

namespace corellama {

class Progress {
public:
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// Says what is being done from now on: "packing weights".
  void begin(const llvm::Twine &what);
  /// Whether lines are shown at all.
  bool isShown() const { return terminal; }
  /// Erases the line, so that other text can be printed.
  void clear();

private:
  bool terminal;
  bool color;
  bool shown = false;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_PROGRESS_H
