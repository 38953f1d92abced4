//===- TextCommands.h - corellama tokenize, detokenize and render ---------===//
//
// What a program does with text, step by step and without a model: a text to
// its ids, ids to their text, a conversation through a chat template.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXTCOMMANDS_TEXTCOMMANDS_H
#define CORELLAMA_COMPILER_TEXTCOMMANDS_TEXTCOMMANDS_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <ctime>
#include <optional>
#include <string>

namespace corellama::text {

/// `corellama tokenize`.
struct TokenizeOptions {
  /// A checkpoint, a SentencePiece model or a program.
  std::string file;
  /// The text, or else the file with it; "-" is standard input.
  std::optional<std::string> text;
  std::string textFile;
  /// Begin with BOS and end with EOS where a program does.
  bool frame = true;
  /// Recognise control tokens in the text.
  bool parseSpecial = false;
  bool json = false;
};

/// `corellama detokenize`.
struct DetokenizeOptions {
  std::string file;
  /// The ids as text, or else the file with them.
  std::optional<std::string> ids;
  std::string idsFile;
  /// Print control tokens as the vocabulary spells them.
  bool special = false;
};

/// `corellama render`.
struct RenderOptions {
  /// A checkpoint or a program; empty: its template and texts are not needed.
  std::string file;
  /// A file with a template in place of that of `file`, or one of
  /// templateNames().
  std::string templateFile, templateName;
  std::string messagesFile;
  bool generationPrompt = true;
  /// An object of JSON.
  std::optional<std::string> variables;
  /// What strftime_now formats; none: now.
  std::optional<std::tm> date;
  std::optional<std::string> bos, eos;
};

/// The ids, by commas on one line, or a JSON array with their pieces and
/// places. `note` is told of bytes that have no id.
llvm::Error tokenize(const TokenizeOptions &options, llvm::raw_ostream &out,
                     llvm::function_ref<void(const llvm::Twine &)> note);

/// The bytes of the ids, without the space that SentencePiece adds in front of
/// a text: what `tokenize` was given.
llvm::Error detokenize(const DetokenizeOptions &options,
                       llvm::raw_ostream &out);

/// The text that the template writes, byte for byte.
llvm::Error render(const RenderOptions &options, llvm::raw_ostream &out);

} // namespace corellama::text

#endif // CORELLAMA_COMPILER_TEXTCOMMANDS_TEXTCOMMANDS_H
