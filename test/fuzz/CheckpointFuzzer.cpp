//===- CheckpointFuzzer.cpp - the fuzzer's entry --------------------------===//
//
// One input of libFuzzer -> the checkpoint reader, stopping where its answer
// is wrong. A file of its own because libFuzzer brings the main function.
//
//===----------------------------------------------------------------------===//

#include "CheckpointVerify.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  corellama::test::Verdict verdict = corellama::test::readAndVerify(
      {reinterpret_cast<const char *>(data), size});
  if (verdict.fault.empty())
    return 0;
  std::fprintf(stderr, "%s\n%s\n", verdict.fault.c_str(),
               verdict.message.c_str());
  std::abort();
}
