//===- TextFile.h - the tokenizer and template of a file ------------------===//
//
// A checkpoint, a file with a vocabulary alone, a SentencePiece model or a
// program -> what programs know of text. The runtime's own tokenizer works on
// it, so that the commands of this folder give what a program gives.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXTCOMMANDS_TEXTFILE_H
#define CORELLAMA_COMPILER_TEXTCOMMANDS_TEXTFILE_H

#include "compiler/Checkpoint/Container.h"
#include "compiler/Image/ProgramImage.h"
#include "runtime/Tokenizer/TextData.h"
#include "runtime/Tokenizer/Tokenizer.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace corellama::text {

class TextFile {
public:
  /// Checks the container only: a model it need not be.
  static llvm::Expected<TextFile> open(llvm::StringRef path);

  llvm::StringRef path() const { return name; }
  const runtime::TextData &data() const { return text; }
  /// The chat template, which may be there without a tokenizer that is known.
  std::optional<std::string_view> chatTemplate() const { return source; }
  /// The tokenizer, or why the file's programs can read no text.
  llvm::Expected<runtime::Tokenizer> tokenizer() const;
  /// An error where a checkpoint was written to since it was opened; to be
  /// asked before anything is printed.
  llvm::Error checkUnchanged() const {
    return checkpoint ? checkpoint->checkUnchanged() : llvm::Error::success();
  }

private:
  std::string name;
  // What the text is a view of.
  std::unique_ptr<checkpoint::Container> checkpoint;
  std::optional<image::ImageView> program;
  std::unique_ptr<llvm::MemoryBuffer> model;
  runtime::TextData text;
  std::optional<std::string_view> source; ///< of the template
};

/// A path in messages: "-" is standard input.
std::string placeOf(llvm::StringRef path);

/// All bytes of a file, which may be a pipe; "-" is standard input. `remedy`
/// says what to give instead where it cannot be read.
llvm::Expected<std::string> readBytes(llvm::StringRef path,
                                      llvm::StringRef remedy);

} // namespace corellama::text

#endif // CORELLAMA_COMPILER_TEXTCOMMANDS_TEXTFILE_H
