//===- Inspect.cpp - a checkpoint or a program, by what the file is -------===//
//
// See Inspect.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Inspect/Inspect.h"
#include "compiler/Image/ProgramImage.h"

using namespace corellama;

llvm::Error corellama::inspectFile(llvm::StringRef path, bool json,
                                   llvm::raw_ostream &out) {
  // A file that cannot be read is treated as a checkpoint: its reader reports
  // the reason.
  if (image::looksLikeProgram(path))
    return inspectProgram(path, json, out);
  llvm::Expected<checkpoint::Checkpoint> checkpoint =
      checkpoint::openCheckpoint(path);
  if (!checkpoint)
    return checkpoint.takeError();
  inspectCheckpoint(*checkpoint, json, out);
  return llvm::Error::success();
}
