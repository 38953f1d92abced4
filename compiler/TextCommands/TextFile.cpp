//===- TextFile.cpp - the tokenizer and template of a file ----------------===//
//
// See TextFile.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/TextCommands/TextFile.h"
#include "compiler/Text/ContainerText.h"
#include "compiler/Text/SentencePieceModel.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"

using namespace corellama;
using namespace corellama::text;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

Expected<TextFile> TextFile::open(StringRef path) {
  TextFile file;
  file.name = path.str();
  if (looksLikeSentencePieceModel(path)) {
    auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!buffer)
      return llvm::createStringError(path + ": " + buffer.getError().message() +
                                     "; give a file that can be read");
    file.model = std::move(*buffer);
    auto text = readSentencePieceModel(*file.model);
    if (!text)
      return text.takeError();
    file.text = std::move(*text);
    return file;
  }
  if (!image::looksLikeProgram(path)) {
    auto checkpoint = checkpoint::openContainer(path);
    if (!checkpoint)
      return checkpoint.takeError();
    file.checkpoint = std::move(*checkpoint);
    ContainerText text = readText(*file.checkpoint);
    file.text = std::move(text.data);
    file.source = text.chatTemplate;
    return file;
  }
  auto program = image::openProgramImage(path);
  if (!program)
    return program.takeError();
  file.program = std::move(*program);
  llvm::ArrayRef<uint8_t> section = file.program->text;
  auto text = runtime::TextData::parse({section.data(), section.size()});
  if (!text)
    return llvm::createStringError(path + ": " + text.error());
  file.text = std::move(*text);
  file.source = file.text.chatTemplate;
  return file;
}

Expected<runtime::Tokenizer> TextFile::tokenizer() const {
  auto tokenizer = runtime::Tokenizer::create(text);
  if (!tokenizer)
    return llvm::createStringError(name + ": " + tokenizer.error());
  return std::move(*tokenizer);
}

std::string corellama::text::placeOf(StringRef path) {
  return path == "-" ? "standard input" : path.str();
}

Expected<std::string> corellama::text::readBytes(StringRef path,
                                                 StringRef remedy) {
  constexpr size_t most = runtime::kMaxTextBytes;
  constexpr size_t step = 64 << 10;
  namespace fs = llvm::sys::fs;
  const bool isInput = path == "-";
  auto refuse = [&](const Twine &why) {
    return llvm::createStringError(placeOf(path) + ": " + why + "; " + remedy);
  };
  fs::file_t file = fs::getStdinHandle();
  if (!isInput) {
    auto opened = fs::openNativeFileForRead(path);
    if (!opened)
      return refuse("cannot be read: " + llvm::toString(opened.takeError()));
    file = *opened;
  }
  llvm::scope_exit close([&] {
    // It was only read: there is nothing that closing could lose.
    std::error_code ignored;
    if (!isInput)
      ignored = fs::closeFile(file);
    (void)ignored;
  });
  std::string bytes;
  for (size_t used = 0;;) {
    bytes.resize(used + step);
    auto count =
        fs::readNativeFile(file, llvm::MutableArrayRef(&bytes[used], step));
    if (!count)
      return refuse("cannot be read: " + llvm::toString(count.takeError()));
    bytes.resize(used += *count);
    if (*count == 0)
      return bytes;
    if (used > most)
      return refuse("has more than " + Twine(most) + " bytes");
  }
}
