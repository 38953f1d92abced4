//===- Signals.cpp - what the program does when it is signalled -----------===//
//
// See Signals.h. State is static because a signal handler takes no argument of
// ours.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Signals.h"

#include <csignal>
#include <cstring>
#include <initializer_list>
#include <unistd.h>

namespace corellama::runtime {

static volatile sig_atomic_t received = 0;
static const char *nameInMessages = "corellama";

/// SIGINT that are noted before its default effect comes back, and those noted.
static volatile sig_atomic_t mostInterrupts = 1, interrupts = 0;

static void note(int signal);

/// No SA_RESTART: reading a prompt from a terminal or writing to a full pipe
/// must be interrupted too. SA_RESETHAND: the second signal has its default
/// effect.
static void noteOnce(int signal) {
  struct sigaction action{};
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESETHAND;
  action.sa_handler = note;
  sigaction(signal, &action, nullptr);
}

static void note(int signal) {
  received = signal;
  if (signal != SIGINT)
    return;
  interrupts = interrupts + 1;
  if (interrupts < mostInterrupts)
    noteOnce(signal);
}

static void reportUnreadablePage(int) {
  // Only async-signal-safe functions.
  auto print = [](const char *text) {
    return write(STDERR_FILENO, text, strlen(text)) >= 0;
  };
  print(nameInMessages) &&
      print(": a part of the program's file cannot be read: it was cut short "
            "or its disk failed; copy or compile it again\n");
  _exit(1);
}

void installSignalHandlers(const char *programName) {
  nameInMessages = programName;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before;
    sigaction(signal, nullptr, &before);
    // A signal that is ignored at start (nohup) stays ignored.
    if (before.sa_handler != SIG_IGN)
      noteOnce(signal);
  }

  struct sigaction action{};
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESETHAND;
  action.sa_handler = reportUnreadablePage;
  sigaction(SIGBUS, &action, nullptr);

  action.sa_flags = 0;
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

int pendingSignal() { return received; }

void allowInterrupts() { mostInterrupts = 2; }

bool dismissInterrupt() {
  // One that comes meanwhile is the next one.
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, &before);
  const bool isOne = received == SIGINT && interrupts == 1;
  if (isOne) {
    received = interrupts = 0;
    noteOnce(SIGINT);
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return isOne;
}

} // namespace corellama::runtime
