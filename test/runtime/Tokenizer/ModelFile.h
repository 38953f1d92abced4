//===- ModelFile.h - a checkpoint's tokenizer, for the tools of tests -----===//
//
// Any checkpoint or a tokenizer.model -> the tokenizer that a program compiled
// from it has, by way of the section of text in the program's image. The
// developers' tools that run a part of the runtime on a vocabulary share it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_TOKENIZER_MODELFILE_H
#define CORELLAMA_TEST_RUNTIME_TOKENIZER_MODELFILE_H

#include "compiler/Checkpoint/Container.h"
#include "compiler/Text/ContainerText.h"
#include "compiler/Text/SentencePieceModel.h"
#include "compiler/Text/TextSection.h"
#include "runtime/Tokenizer/Tokenizer.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace corellama::runtime {

/// Must outlive the tokenizer.
struct ModelFile {
  /// An error names the file.
  Result<Tokenizer> readTokenizer(const char *path) {
    auto described = describe(path);
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

  llvm::Expected<TextData> describe(const char *path) {
    if (looksLikeSentencePieceModel(path)) {
      auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
      if (!file)
        return llvm::createStringError(path + std::string(": ") +
                                       file.getError().message());
      model = std::move(*file);
      return readSentencePieceModel(*model);
    }
    auto opened = checkpoint::openContainer(path);
    if (!opened)
      return opened.takeError();
    checkpoint = std::move(*opened);
    ContainerText text = readText(*checkpoint);
    return std::move(text.data);
  }

  // What the section is written from.
  std::unique_ptr<llvm::MemoryBuffer> model;
  std::unique_ptr<checkpoint::Container> checkpoint;

  std::string section;
  /// The ids that end an answer, ascending.
  std::vector<int32_t> ends;
};

} // namespace corellama::runtime

#endif // CORELLAMA_TEST_RUNTIME_TOKENIZER_MODELFILE_H
