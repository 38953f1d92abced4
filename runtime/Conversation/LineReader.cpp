//===- LineReader.cpp - messages that a person types ----------------------===//
//
// See LineReader.h. libedit reads characters through a function of ours, so
// that signals are the program's: Ctrl-C gives the line up, a resized terminal
// and a program that continues (fg) are redrawn.
//
//===----------------------------------------------------------------------===//

#include "runtime/Conversation/LineReader.h"

#include "runtime/Tokenizer/Utf8.h"

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <histedit.h>
#include <optional>
#include <poll.h>
#include <string_view>
#include <unistd.h>
#include <utility>

// libtinfo's look-up of a terminal in terminfo; <termcap.h> would be one more
// package.
extern "C" int tgetent(char *buffer, const char *name);

namespace corellama::runtime {

static volatile sig_atomic_t isResized = 0, isContinued = 0;

/// Reads standard input like read(). A signal that came shortly before ends it,
/// too: signals are let through while it waits, and only then.
static ssize_t readInput(char *bytes, size_t size, int (*pendingSignal)()) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  errno = EINTR;
  const bool isReady =
      !pendingSignal() && ppoll(&input, 1, nullptr, &before) > 0;
  const int failure = errno;
  sigprocmask(SIG_SETMASK, &before, nullptr);
  errno = failure;
  return isReady ? ::read(STDIN_FILENO, bytes, size) : -1;
}

//===----------------------------------------------------------------------===//
// Edited lines
//===----------------------------------------------------------------------===//

class LineReader::Editor {
public:
  Editor(const char *programName, int (*pendingSignal)())
      : pendingSignal(pendingSignal) {
    // libedit converts by the C library's locale. C.UTF-8 is built into glibc.
    if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
      setlocale(LC_CTYPE, "C.UTF-8");
    struct sigaction action{};
    sigemptyset(&action.sa_mask);
    action.sa_handler = [](int signal) {
      (signal == SIGWINCH ? isResized : isContinued) = 1;
    };
    sigaction(SIGWINCH, &action, nullptr);
    sigaction(SIGCONT, &action, nullptr);

    edit = el_init(programName, stdin, stdout, stderr);
    past = history_init();
    if (!edit || !past)
      return;
    HistEvent event;
    constexpr int kMostLines = 1000;
    history(past, &event, H_SETSIZE, kMostLines);
    el_set(edit, EL_CLIENTDATA, this);
    el_set(edit, EL_PROMPT, promptOf);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    // Code that is pasted has tabs.
    el_set(edit, EL_BIND, "^I", "ed-insert", nullptr);
    el_set(edit, EL_HIST, history, past);
    el_set(edit, EL_GETCFN, readCharacter);
  }
  ~Editor() {
    if (edit)
      el_end(edit);
    if (past)
      history_end(past);
  }
  Editor(const Editor &) = delete;
  Editor &operator=(const Editor &) = delete;

  bool isUsable() const { return edit && past; }

  Event read(const char *shown, std::string &line) {
    prompt = shown;
    isTypedAhead = true;
    int count = 0;
    const char *text = el_gets(edit, &count);
    if (pendingSignal())
      return Event::interrupted;
    if (!text || count <= 0)
      return Event::end;
    line = text;
    if (line.find_first_not_of(" \n") != line.npos) {
      HistEvent event;
      history(past, &event, H_ENTER, text);
    }
    if (line.ends_with('\n'))
      line.pop_back();
    return Event::message;
  }

private:
  static Editor &of(EditLine *line) {
    void *self = nullptr;
    el_get(line, EL_CLIENTDATA, &self);
    return *static_cast<Editor *>(self);
  }
  static char *promptOf(EditLine *line) {
    return const_cast<char *>(of(line).prompt);
  }

  /// A character, 1; 0 at the end of the input and after a signal.
  static int readCharacter(EditLine *line, wchar_t *character) {
    Editor &self = of(line);
    std::string bytes;
    while (true) {
      char byte;
      pollfd input{STDIN_FILENO, POLLIN, 0};
      if (!self.ahead && self.isTypedAhead && poll(&input, 1, 0) == 0)
        self.isTypedAhead = false;
      ssize_t count = 1;
      if (self.ahead)
        byte = *std::exchange(self.ahead, std::nullopt);
      else
        count = readInput(&byte, 1, self.pendingSignal);
      if (count == 0)
        return 0;
      if (count < 0) {
        if (errno != EINTR || self.pendingSignal())
          return 0;
        if (isContinued) {
          isContinued = 0;
          // Of the mode that the shell has set libedit knows nothing: it sets
          // its own only when it has left it.
          el_set(line, EL_PREP_TERM, 0);
          el_set(line, EL_PREP_TERM, 1);
          el_set(line, EL_REFRESH);
        }
        if (isResized) {
          isResized = 0;
          el_resize(line);
        }
        continue;
      }
      // Typed while an answer came, in the terminal's line mode, Ctrl-D is
      // stored as a NUL.
      constexpr char kEnd = 4;
      bytes += byte || !self.isTypedAhead ? byte : kEnd;
      const Utf8Head head = readUtf8(bytes);
      if (head.kind == Utf8Head::incomplete)
        continue;
      // It may begin the next character, or end the line.
      if (head.bytes < bytes.size())
        self.ahead = byte;
      constexpr wchar_t kReplacement = 0xFFFD;
      *character =
          head.kind == Utf8Head::whole ? wchar_t(head.codePoint) : kReplacement;
      return 1;
    }
  }

  int (*const pendingSignal)();
  const char *prompt = "";
  /// No character of this line had to be waited for.
  bool isTypedAhead = false;
  /// A byte that was read and is not part of the last character.
  std::optional<char> ahead;
  EditLine *edit = nullptr;
  ::History *past = nullptr;
};

//===----------------------------------------------------------------------===//
// LineReader
//===----------------------------------------------------------------------===//

LineReader::LineReader(const char *programName, int (*pendingSignal)())
    : pendingSignal(pendingSignal), interactive(isatty(STDIN_FILENO)) {
  const char *terminal = getenv("TERM");
  if (!interactive || !isatty(STDOUT_FILENO) || !terminal ||
      std::string_view(terminal) == "dumb" || tgetent(nullptr, terminal) != 1)
    return;
  editor = std::make_unique<Editor>(programName, pendingSignal);
  if (!editor->isUsable())
    editor.reset();
}

LineReader::~LineReader() = default;

LineReader::Event LineReader::read(std::string &message) {
  constexpr std::string_view kQuotes = "\"\"\"";
  Event event = readLine("> ", message);
  const bool isQuoted = message.starts_with(kQuotes);
  if (event == Event::message && isQuoted)
    message.erase(0, kQuotes.size());
  bool isFirst = true;
  while (event == Event::message) {
    if (isQuoted && message.ends_with(kQuotes)) {
      message.resize(message.size() - kQuotes.size());
      // Quotes on lines of their own.
      if (message.ends_with('\n'))
        message.pop_back();
      break;
    }
    if (!isQuoted && !message.ends_with('\\'))
      break;
    if (!isQuoted)
      message.pop_back();
    std::string line;
    event = readLine("... ", line);
    // What was typed is sent as it is. A person who leaves by Ctrl-D behind
    // open quotes sends nothing.
    if (event == Event::end && !(isQuoted && interactive))
      return Event::message;
    if (event != Event::message)
      break;
    if (message.size() + line.size() >= kMostBytes)
      return Event::tooLong;
    // Not the line end behind quotes that stand alone.
    if (!isQuoted || !isFirst || !message.empty())
      message += '\n';
    isFirst = false;
    message += line;
  }
  return event;
}

LineReader::Event LineReader::readLine(const char *prompt, std::string &line) {
  line.clear();
  return editor ? editor->read(prompt, line) : readPlainLine(prompt, line);
}

LineReader::Event LineReader::readPlainLine(const char *prompt,
                                            std::string &line) {
  if (interactive)
    fputs(prompt, stderr);
  size_t searched = 0;
  while (true) {
    if (size_t end = buffer.find('\n', searched); end != buffer.npos) {
      line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      if (line.ends_with('\r'))
        line.pop_back();
      return Event::message;
    }
    searched = buffer.size();
    if (searched > kMostBytes)
      return Event::tooLong;
    constexpr size_t kStep = 4096;
    buffer.resize(searched + kStep);
    const ssize_t count =
        readInput(buffer.data() + searched, kStep, pendingSignal);
    buffer.resize(searched + size_t(count > 0 ? count : 0));
    if (count < 0 && errno == EINTR) {
      if (!pendingSignal())
        continue;
      buffer.clear();
      return Event::interrupted;
    }
    if (count < 0)
      return Event::failed;
    if (count == 0) {
      // The last line need not have an end.
      line.swap(buffer);
      buffer.clear();
      return line.empty() ? Event::end : Event::message;
    }
  }
}

} // namespace corellama::runtime
