//===- FolderFuzzer.cpp - the fuzzer's entry ------------------------------===//
//
// One input of libFuzzer -> the readers of folders and of llama2.c, stopping
// where an answer is wrong. A file of its own because libFuzzer brings the main
// function.
//
//===----------------------------------------------------------------------===//

#include "FolderVerify.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto verdict = corellama::test::verifyFolder(
      {reinterpret_cast<const char *>(data), size});
  if (verdict.fault.empty())
    return 0;
  std::fprintf(stderr, "%s\n", verdict.fault.c_str());
  std::abort();
}
