//===- Result.h - a value, or one line that says why there is none --------===//
//
// How the runtime reports errors: by value, since it is compiled without
// exceptions. A file of its own because every folder of the runtime returns it,
// and it depends on none of them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_SUPPORT_RESULT_H
#define CORELLAMA_RUNTIME_SUPPORT_RESULT_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace corellama::runtime {

/// One line for a person: `PLACE: what is, what was expected; what to do`,
/// without the program's name, which the caller puts before it.
struct Error {
  std::string message;
};

/// Text of any bytes for a message: truncated after `most` bytes, control
/// characters as \xNN, so that the message stays one line.
inline std::string printable(std::string_view text, size_t most) {
  constexpr char digits[] = "0123456789abcdef";
  std::string result;
  for (char character : text.substr(0, most)) {
    uint8_t byte = static_cast<uint8_t>(character);
    if (byte >= 0x20 && byte != 0x7F)
      result += character;
    else
      result.append("\\x")
          .append(1, digits[byte >> 4])
          .append(1, digits[byte & 15]);
  }
  return text.size() > most ? result + "..." : result;
}

/// Text from a file for a message, in single quotes and not longer than a line.
inline std::string quoted(std::string_view text) {
  constexpr size_t most = 60;
  return "'" + printable(text, most) + "'";
}

template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state.index() == 0; }

  /// Only if the result holds a value. The value of a temporary is moved out,
  /// so that `for (x : *call())` does not iterate over a destroyed one.
  T &operator*() & { return *std::get_if<0>(&state); }
  const T &operator*() const & { return *std::get_if<0>(&state); }
  T operator*() && { return std::move(*std::get_if<0>(&state)); }
  T *operator->() { return std::get_if<0>(&state); }
  const T *operator->() const { return std::get_if<0>(&state); }

  /// Only if the result holds an error.
  const std::string &error() const { return std::get_if<1>(&state)->message; }

  /// Moves the value to `place`, or gives the error.
  std::optional<Error> moveTo(T &place) && {
    if (!*this)
      return std::move(*std::get_if<1>(&state));
    place = std::move(**this);
    return std::nullopt;
  }

private:
  std::variant<T, Error> state;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_SUPPORT_RESULT_H
