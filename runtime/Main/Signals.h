//===- Signals.h - what the program does when it is signalled -------------===//
//
// SIGINT (Ctrl-C), SIGTERM or SIGHUP ends generation after the running step, so
// that files are complete; the second signal ends the program at once, and in a
// conversation the third. A closed
// pipe is an error of the write, not a signal. A page of the program that
// cannot be read (a truncated file) gives an error line.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_SIGNALS_H
#define CORELLAMA_RUNTIME_MAIN_SIGNALS_H

namespace corellama::runtime {

/// `programName` must live as long as the program.
void installSignalHandlers(const char *programName);

/// The signal that asked the program to end, or 0.
int pendingSignal();

/// In a conversation, Ctrl-C ends the answer and not the program, and twice
/// leaves: from now on two SIGINT are noted before one has its default effect.
void allowInterrupts();

/// If one SIGINT is pending, and nothing else, forgets it. Returns whether it
/// was.
bool dismissInterrupt();

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_SIGNALS_H
