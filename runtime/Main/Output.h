//===- Output.h - generated ids to standard output ------------------------===//
//
// Writes each id as soon as it is generated, as text (whole UTF-8 characters
// only) or as a number.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_OUTPUT_H
#define CORELLAMA_RUNTIME_MAIN_OUTPUT_H

#include "runtime/Main/Generate.h"
#include "runtime/Main/Text.h"
#include "runtime/Tokenizer/Utf8.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace corellama::runtime {

class Output {
public:
  Output(const Text &text, bool asIds) : text(text), asIds(asIds) {}

  /// False if it could not be written: error() says why; it is empty if the
  /// reader of a pipe has closed it, which is no error.
  bool put(int32_t id);

  /// Ends the output line. An unfinished character at the end of the text is
  /// left out.
  void finish(Generation &generation);

  const std::string &error() const { return failure; }

private:
  bool write(std::string_view bytes);

  const Text &text;
  const bool asIds;
  bool first = true;
  bool closed = false;
  Utf8Stream characters;
  std::string buffer;
  std::string failure;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_OUTPUT_H
