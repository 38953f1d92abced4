//===- Inspect.cpp - a checkpoint or a program, by what the file is -------===//
//
// See Inspect.h. What has no file of its own here is text: a vocabulary alone,
// and a chat template.
//
//===----------------------------------------------------------------------===//

#include "compiler/Inspect/Inspect.h"
#include "compiler/Image/ProgramImage.h"
#include "compiler/Text/CheckpointText.h"
#include "compiler/Text/ContainerText.h"
#include "compiler/Text/SentencePieceModel.h"
#include "compiler/TextCommands/TextFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"

using namespace corellama;
using llvm::Error;
using llvm::StringRef;

/// Whether a file that is no checkpoint has a vocabulary and no tensors.
static bool isVocabulary(StringRef path) {
  if (looksLikeSentencePieceModel(path))
    return true;
  auto container = checkpoint::openContainer(path);
  if (container)
    return !(*container)->hasTensors() && readText(**container).namesTokenizer;
  llvm::consumeError(container.takeError()); // the checkpoint's is the same
  return false;
}

static Error inspectVocabulary(StringRef path, bool json,
                               llvm::raw_ostream &out) {
  auto file = text::TextFile::open(path);
  if (!file)
    return file.takeError();
  const CheckpointText text = describeText(file->data());
  if (Error error = file->checkUnchanged())
    return error;
  const StringRef name = llvm::sys::path::filename(path);
  if (json) {
    out << llvm::formatv("{0:2}\n", llvm::json::Value(llvm::json::Object{
                                        {"kind", "vocabulary"},
                                        {"name", llvm::json::fixUTF8(name)},
                                        {"text", text.toJSON()}}));
    return Error::success();
  }
  out << llvm::left_justify("vocabulary", 12) << name << '\n';
  for (const auto &[what, value] : text.lines())
    out << llvm::left_justify(what, 12) << value << '\n';
  return Error::success();
}

Error corellama::inspectFile(StringRef path, bool json,
                             llvm::raw_ostream &out) {
  // A file that cannot be read is treated as a checkpoint: its reader reports
  // the reason.
  if (image::looksLikeProgram(path))
    return inspectProgram(path, json, out);
  auto checkpoint = checkpoint::openCheckpoint(path);
  if (checkpoint) {
    std::string text;
    llvm::raw_string_ostream buffer(text);
    inspectCheckpoint(*checkpoint, json, buffer);
    if (Error error = checkpoint->checkUnchanged())
      return error;
    out << text;
    return Error::success();
  }
  if (!isVocabulary(path))
    return inspectRefused(path, checkpoint.takeError(), json, out);
  llvm::consumeError(checkpoint.takeError()); // that there are no tensors
  return inspectVocabulary(path, json, out);
}

Error corellama::printTemplate(StringRef path, llvm::raw_ostream &out) {
  auto file = text::TextFile::open(path);
  if (!file)
    return file.takeError();
  auto source = file->chatTemplate();
  if (!source)
    return llvm::createStringError(
        path + ": has no chat template; give a checkpoint or a program that "
               "has one");
  out << StringRef(*source);
  return Error::success();
}
