//===- Progress.h - what the compiler is doing, on a terminal -------------===//
//
// One line on standard error that is overwritten, and gone at the end. Nothing
// at all where standard error is no terminal. What is being done is said here
// alone, so what each step costs is measured here, too (--costs).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_PROGRESS_H
#define CORELLAMA_COMPILER_DRIVER_PROGRESS_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

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

  /// From now on steps are measured.
  void measureCosts() { measures = true; }
  /// Of each step its processor time and the most memory that the process had
  /// meanwhile, mapped files included; steps of one name are one row.
  void printCosts(llvm::raw_ostream &out);

private:
  struct Step {
    std::string name;
    double seconds = 0;
    uint64_t peakBytes = 0;
  };
  void endStep();

  bool measures = false;
  std::vector<Step> steps;
  /// The step that is going on, and the processor time when it began.
  std::string current;
  double begun = 0;
  bool terminal;
  bool color;
  bool shown = false;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_PROGRESS_H
