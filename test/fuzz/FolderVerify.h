//===- FolderVerify.h - what must hold of folders and llama2.c --*- C++ -*-===//
//
// Any bytes, taken apart into the files of a Hugging Face folder, of llama2.c
// or of a split GGUF file -> nothing, or what is wrong with the readers'
// answers. A file of its own because the fuzzer and the replay judge by the
// same rules.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_FOLDERVERIFY_H
#define CORELLAMA_TEST_FUZZ_FOLDERVERIFY_H

#include "Cost.h"
#include "test/compiler/Checkpoint/FolderBuilder.h"
#include <string>
#include <string_view>

namespace corellama::test {

struct FolderVerdict {
  bool hasModel = false; ///< configuration and weights were accepted
  bool hasText = false;
  std::string fault; ///< of a reader; empty if the answers are right
  Cost cost;         ///< of reading text and weights
};

/// An input of files: each file's name, 0xFF, its length in ASCII digits, 0xFF,
/// its bytes. A length beyond the end takes what is there.
std::string joinFiles(const FolderFiles &files);
FolderFiles splitFiles(std::string_view input);

/// Names that end in ".gguf" are parts of a file, in their order; "m.bin" and
/// "tokenizer.bin" are llama2.c's, all others make a folder. A refusal is one
/// line with a place and what to do; all sizes of what is accepted verify, and
/// the cost is the agreed one.
FolderVerdict verifyFolder(std::string_view input);

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_FOLDERVERIFY_H
