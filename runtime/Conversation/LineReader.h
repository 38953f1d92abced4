//===- LineReader.h - messages that a person types ------------------------===//
//
// Reads messages from standard input, a line each or several where the person
// says so. On a terminal that terminfo knows, lines are edited and the last
// ones come back with the arrow keys (libedit); elsewhere (a pipe, an empty
// chroot) they are read as they are.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CONVERSATION_LINEREADER_H
#define CORELLAMA_RUNTIME_CONVERSATION_LINEREADER_H

#include <memory>
#include <string>

namespace corellama::runtime {

class LineReader {
public:
  /// `pendingSignal` is the signal that came and nobody has dealt with yet, or
  /// 0: a read that it interrupts ends.
  LineReader(const char *programName, int (*pendingSignal)());
  ~LineReader();
  LineReader(const LineReader &) = delete;
  LineReader &operator=(const LineReader &) = delete;

  enum class Event {
    message,
    /// The input has ended.
    end,
    /// A signal came; what was typed is gone.
    interrupted,
    /// More than kMostBytes bytes: far above any context's, so that an endless
    /// line does not fill the memory.
    tooLong,
    /// errno says why.
    failed,
  };
  static constexpr size_t kMostBytes = size_t(256) << 20;

  /// The next message, without the line end. A line that ends in a backslash
  /// goes on in the next line; so do all from """ to """, without the line ends
  /// beside quotes that stand alone. What the end of the input cuts short is a
  /// message.
  Event read(std::string &message);

  /// Whether a person types the lines.
  bool isInteractive() const { return interactive; }

private:
  class Editor;

  Event readLine(const char *prompt, std::string &line);
  Event readPlainLine(const char *prompt, std::string &line);

  int (*const pendingSignal)();
  bool interactive = false;
  /// Null where lines are not edited.
  std::unique_ptr<Editor> editor;
  /// What was read behind the last plain line.
  std::string buffer;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_CONVERSATION_LINEREADER_H
