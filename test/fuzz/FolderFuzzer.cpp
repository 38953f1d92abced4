//===- FolderFuzzer.cpp - the fuzzer's entry ------------------------------===//
//
// One input of libFuzzer -> the readers of folders, of llama2.c and of split
// files, stopping where an answer is wrong. Inputs are changed one file at a
// time, so that the others still fit. A file of its own because libFuzzer
// brings the main function.
//
//===----------------------------------------------------------------------===//

#include "FolderVerify.h"
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace corellama::test;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/// A change of one file.
static void mutate(const std::string &name, std::string &bytes, unsigned seed) {
  constexpr size_t kMostAdded = 64;
  const size_t size = bytes.size();
  bytes.resize(size + kMostAdded);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(bytes.data()), size,
                                size + kMostAdded));
  // The length before a header that grew or shrank would cut it elsewhere.
  uint64_t length;
  if (!llvm::StringRef(name).ends_with(".safetensors") || seed % 4 == 0 ||
      bytes.size() < sizeof(length))
    return;
  std::memcpy(&length, bytes.data(), sizeof(length));
  length += bytes.size() - size; // modulo 2^64
  std::memcpy(bytes.data(), &length, sizeof(length));
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t most, unsigned seed) {
  FolderFiles files = splitFiles({reinterpret_cast<const char *>(data), size});
  if (files.empty())
    return LLVMFuzzerMutate(data, size, most);
  auto file = files.begin();
  std::advance(file, seed % files.size());
  mutate(file->first, file->second, seed / unsigned(files.size()));
  const std::string input = joinFiles(files);
  if (input.size() > most)
    return LLVMFuzzerMutate(data, size, most);
  std::memcpy(data, input.data(), input.size());
  return input.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const FolderVerdict verdict =
      verifyFolder({reinterpret_cast<const char *>(data), size});
  if (verdict.fault.empty())
    return 0;
  std::fprintf(stderr, "%s\n", verdict.fault.c_str());
  std::abort();
}
