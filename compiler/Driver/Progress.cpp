//===- Progress.cpp - what the compiler is doing, on a terminal -----------===//
//
// See Progress.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Progress.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include <fstream>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace corellama;

Progress::Progress() : terminal(llvm::sys::Process::StandardErrIsDisplayed()) {
  // A terminal without control sequences cannot erase a line.
  if (llvm::sys::Process::GetEnv("TERM").value_or("dumb") == "dumb")
    terminal = false;
  // https://no-color.org: set and not empty means no colors.
  std::optional<std::string> noColor = llvm::sys::Process::GetEnv("NO_COLOR");
  color = terminal && (!noColor || noColor->empty());
}

void Progress::clear() {
  if (shown)
    llvm::errs() << "\r\x1b[K";
  shown = false;
}

static double processorSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval time) {
    return double(time.tv_sec) + 1e-6 * double(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// The most resident memory since resetPeak (proc(5), VmHWM); 0: unknown.
static uint64_t peakBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    llvm::StringRef rest = line;
    uint64_t kilobytes = 0;
    if (rest.consume_front("VmHWM:") &&
        !rest.ltrim().split(' ').first.getAsInteger(10, kilobytes))
      return kilobytes << 10;
  }
  return 0;
}
static void resetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

void Progress::endStep() {
  if (current.empty())
    return;
  auto step = llvm::find_if(
      steps, [&](const Step &other) { return other.name == current; });
  if (step == steps.end())
    step = steps.insert(steps.end(), Step{current});
  step->seconds += processorSeconds() - begun;
  step->peakBytes = std::max(step->peakBytes, peakBytes());
  current.clear();
}

void Progress::printCosts(llvm::raw_ostream &out) {
  endStep();
  out << llvm::formatv("{0,-24} {1,9} {2,9}\n", "step", "seconds", "peak MiB");
  for (const Step &step : steps)
    out << llvm::formatv("{0,-24} {1,9:F3} {2,9}\n", step.name, step.seconds,
                         step.peakBytes >> 20);
}

void Progress::begin(const llvm::Twine &what) {
  if (measures) {
    endStep();
    resetPeak();
    current = what.str();
    begun = processorSeconds();
  }
  if (!terminal)
    return;
  clear();
  std::string line = ("corellama: " + what + " ...").str();
  // Text that wrapped to the next line could not be erased.
  winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
      line.size() >= size.ws_col)
    line.resize(size.ws_col - 1);
  llvm::errs() << (color ? "\x1b[2m" : "") << line << (color ? "\x1b[0m" : "");
  shown = true;
}
