//===- ModelFile.h - a checkpoint's tokenizer, for the tools of tests -----===//
//
// A GGUF file or a tokenizer.model -> the tokenizer that a program compiled
// from it has, by way of the section of text in the program's image. The
// developers' tools that run a part of the runtime on a vocabulary share it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_TOKENIZER_MODELFILE_H
#define CORELLAMA_TEST_RUNTIME_TOKENIZER_MODELFILE_H

#include "compiler/Checkpoint/GGUF.h"
#include "compiler/Text/GGUFText.h"
#include "compiler/Text/SentencePieceModel.h"
#include "compiler/Text/TextSection.h"
#include "runtime/Tokenizer/Tokenizer.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace corellama::runtime {

/// Must outlive the tokenizer.
struct ModelFile {
  /// An error names the file.
  Result<Tokenizer> readTokenizer(const char *path) {
    auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
    if (!file)
      return Error{std::string(path) + ": " + file.getError().message()};
    auto described = describe(**file);
    if (!described)
      return Error{llvm::toString(described.takeError())};
    section = writeTextSection(*described);
    auto data = TextData::parse(
        {reinterpret_cast<const uint8_t *>(section.data()), section.size()});
    if (!data)
      return Error{data.error()};
    ends = data->ends;
    auto tokenizer = Tokenizer::create(std::move(*data));
    if (!tokenizer)
      return Error{std::string(path) + ": " + tokenizer.error()};
    return tokenizer;
  }

  static llvm::Expected<TextData> describe(const llvm::MemoryBuffer &file) {
    if (!file.getBuffer().starts_with("GGUF"))
      return readSentencePieceModel(file);
    auto gguf =
        checkpoint::GGUF::parse(llvm::arrayRefFromStringRef(file.getBuffer()),
                                file.getBufferIdentifier());
    if (!gguf)
      return gguf.takeError();
    return readText(*gguf);
  }

  std::string section;
  /// The ids that end an answer, ascending.
  std::vector<int32_t> ends;
};

} // namespace corellama::runtime

#endif // CORELLAMA_TEST_RUNTIME_TOKENIZER_MODELFILE_H
