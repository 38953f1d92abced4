//===- History.h - the messages of a conversation -------------------------===//
//
// The messages so far, what commands do with them, and their form as JSON. How
// they become ids is the template's business (runtime/Templates).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CONVERSATION_HISTORY_H
#define CORELLAMA_RUNTIME_CONVERSATION_HISTORY_H

#include "runtime/Support/Result.h"
#include "runtime/Templates/Chat.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

/// A system message, if there is one, and turns: each begins with a message of
/// the user.
class History {
public:
  explicit History(const std::optional<std::string> &system = std::nullopt);

  const std::vector<Message> &messages() const { return all; }
  void add(std::string role, std::string content);

  /// Drops the messages from the last one of the user on; false if there is
  /// none.
  bool undo();
  /// Drops the first turn, unless it is the last one, too.
  bool dropOldest();
  /// {"messages": [{"role": ..., "content": ...}, ...]} with a line end. Bytes
  /// that are no UTF-8 become U+FFFD: JSON has no form for them.
  Result<std::string> json() const;
  /// Reads that, or the list of messages alone. An error says which message is
  /// wrong; one with anything but a role and a content is, since a part of it
  /// would be lost.
  static Result<History> parse(std::string_view json);

private:
  /// The message that begins the first turn at `from` or behind it.
  size_t nextTurn(size_t from) const;

  std::vector<Message> all;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_CONVERSATION_HISTORY_H
