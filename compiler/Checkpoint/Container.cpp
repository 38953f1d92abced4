//===- Container.cpp - mapping files, and which reader they need ----------===//
//
// See Container.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Container.h"
#include "compiler/Checkpoint/GGUFContainer.h"
#include "compiler/Checkpoint/HuggingFaceContainer.h"
#include "compiler/Checkpoint/Llama2cContainer.h"
#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using llvm::Expected;
using llvm::StringRef;

namespace corellama::checkpoint {

/// What stands in place of any file of a repository that was cloned without
/// its large files.
static constexpr StringRef kLFSPointer =
    "version https://git-lfs.github.com/spec/";

Expected<MappedFile> MappedFile::open(StringRef path) {
  auto unreadable = [&](std::error_code why) {
    return refuse(path, "file",
                  "cannot be read (" + StringRef(why.message()).lower() +
                      "), expected a checkpoint; check the path");
  };
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return unreadable(error);
  // A directory cannot be read, and a device may never end.
  if (!llvm::sys::fs::is_regular_file(status))
    return refuse(path, "file",
                  "is not a regular file, expected a checkpoint; give the path "
                  "of a .gguf file or a folder of Hugging Face");
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!buffer)
    return unreadable(buffer.getError());
  MappedFile file(std::move(*buffer));
  if (llvm::toStringRef(file.data()).starts_with(kLFSPointer))
    return refuse(path, "file",
                  "is a pointer of Git LFS, expected the file that it stands "
                  "for; fetch it with git lfs pull");
  file.opened = status;
  return file;
}

llvm::Error MappedFile::checkUnchanged() const {
  llvm::sys::fs::file_status now;
  if (!opened || llvm::sys::fs::status(path(), now) ||
      now.getUniqueID() != opened->getUniqueID() ||
      (now.getSize() == opened->getSize() &&
       now.getLastModificationTime() == opened->getLastModificationTime()))
    return llvm::Error::success();
  return refuse(path(), "file",
                "has changed while it was read, expected the same bytes from "
                "beginning to end; run the command again");
}

llvm::Error Container::checkUnchanged() const {
  for (const MappedFile &file : files())
    if (llvm::Error error = file.checkUnchanged())
      return error;
  return llvm::Error::success();
}

Refusals Container::listRefusals() const {
  Refusals refusals;
  if (std::optional<ModelConfig> config = readConfig(refusals))
    readWeights(*config, refusals);
  return refusals;
}

/// What people give in place of a checkpoint, known by its first bytes or its
/// name; success where it may be one.
static llvm::Error refuseOthers(const MappedFile &file) {
  const StringRef bytes = llvm::toStringRef(file.data()), path = file.path();
  if (bytes.starts_with("GGUF"))
    return llvm::Error::success();
  // A zip, and the pickle of a number with which older ones begin.
  if (bytes.starts_with(StringRef("PK\3\4")) ||
      bytes.starts_with("\x80\x02\x8a\x0a"))
    return refuse(path, "file",
                  "is an archive of PyTorch, expected a checkpoint; save the "
                  "model as a folder with safetensors");
  if (!path.ends_with(".safetensors") && !path.ends_with(".json"))
    return llvm::Error::success();
  StringRef folder = llvm::sys::path::parent_path(path);
  return refuse(path, "file",
                "is one of a folder of Hugging Face, expected the folder; "
                "give " +
                    (folder.empty() ? "." : folder));
}

Expected<std::unique_ptr<Container>> readContainer(MappedFile file) {
  if (Llama2cContainer::looksLike(file))
    return Llama2cContainer::read(std::move(file), std::nullopt);
  std::vector<MappedFile> files;
  files.push_back(std::move(file));
  return GGUFContainer::read(std::move(files));
}

Expected<std::unique_ptr<Container>> openContainer(StringRef path) {
  if (llvm::sys::fs::is_directory(path))
    return HuggingFaceContainer::open(path);
  Expected<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  if (llvm::Error error = refuseOthers(*file))
    return error;
  if (Llama2cContainer::looksLike(*file))
    return Llama2cContainer::open(std::move(*file));
  return GGUFContainer::open(std::move(*file));
}

} // namespace corellama::checkpoint
