//===- FakeImage.cpp - the image of the fake program ----------------------===//
//
// See FakeImage.h. The segment takes the program header of PT_NOTE, as in the
// compiler; the file's section headers stay where they are.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Main/FakeImage.h"

#include "runtime/ABI/Kernel.h"
#include "test/runtime/Main/FakeModel.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <vector>

namespace corellama::test {

//===----------------------------------------------------------------------===//
// Metadata: the key-value section of a GGUF file
//===----------------------------------------------------------------------===//

namespace {
class MetadataBuilder {
public:
  std::string bytes;
  uint64_t count = 0;

  void string(const char *key, const std::string &value) {
    begin(key, 8);
    append(value);
  }
  void number(const char *key, uint32_t value) {
    begin(key, 4);
    raw(value);
  }
  void boolean(const char *key, bool value) {
    begin(key, 7);
    bytes += char(value);
  }
  void strings(const char *key, const std::vector<std::string> &values) {
    begin(key, 9);
    raw(uint32_t(8));
    raw(uint64_t(values.size()));
    for (const std::string &value : values)
      append(value);
  }
  void numbers(const char *key, const std::vector<int32_t> &values) {
    begin(key, 9);
    raw(uint32_t(5));
    raw(uint64_t(values.size()));
    for (int32_t value : values)
      raw(value);
  }

private:
  template <typename T> void raw(T value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
  }
  void append(const std::string &value) {
    raw(uint64_t(value.size()));
    bytes += value;
  }
  void begin(const char *key, uint32_t type) {
    append(key);
    raw(type);
    ++count;
  }
};
} // namespace

/// The character that stands for a byte in the vocabulary of a byte-level BPE:
/// itself where it can be printed, else one from U+0100 on.
static std::string byteToken(int byte) {
  auto printable = [](int c) {
    return (c >= 33 && c <= 126) || (c >= 161 && c <= 172) || c >= 174;
  };
  int code = byte;
  if (!printable(byte)) {
    code = 256;
    for (int before = 0; before < byte; ++before)
      code += !printable(before);
  }
  if (code < 0x80)
    return std::string(1, char(code));
  return {char(0xC0 | code >> 6), char(0x80 | (code & 0x3F))};
}

static MetadataBuilder makeMetadata() {
  constexpr int32_t kNormal = 1, kControl = 3, kUnused = 5;
  std::vector<std::string> tokens;
  std::vector<int32_t> types(256, kNormal);
  for (int byte = 0; byte < 256; ++byte)
    tokens.push_back(byteToken(byte));
  for (const char *control : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    tokens.push_back(control);
    types.push_back(kControl);
  }
  tokens.push_back("he");
  types.push_back(kNormal);
  while (tokens.size() < kVocabulary) {
    tokens.push_back("unused" + std::to_string(tokens.size()));
    types.push_back(kUnused);
  }
  MetadataBuilder metadata;
  metadata.string("general.architecture", "llama");
  metadata.string("tokenizer.ggml.model", "gpt2");
  metadata.string("tokenizer.ggml.pre", "smollm");
  metadata.strings("tokenizer.ggml.tokens", tokens);
  metadata.numbers("tokenizer.ggml.token_type", types);
  metadata.strings("tokenizer.ggml.merges", {"h e"});
  metadata.number("tokenizer.ggml.bos_token_id", kEndOfText);
  metadata.number("tokenizer.ggml.eos_token_id", kTurnEnd);
  metadata.boolean("tokenizer.ggml.add_bos_token", false);
  metadata.string(
      "tokenizer.chat_template",
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' "
      "+ message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if "
      "add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
  return metadata;
}

//===----------------------------------------------------------------------===//
// Image
//===----------------------------------------------------------------------===//

static uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

std::string makeImage(bool withTokenizer) {
  MetadataBuilder metadata;
  if (withTokenizer)
    metadata = makeMetadata();
  const uint64_t offsets[] = {0, 64};
  const std::string manifest = "{}";
  abi::DoubleDouble frequencies[kHeadSize / 2];
  for (uint64_t pair = 0; pair < kHeadSize / 2; ++pair)
    frequencies[pair] = {1.0 / double(1 + pair), 0};

  std::string image(sizeof(abi::ImageHeader), '\0');
  auto place = [&](const void *data, size_t bytes, uint64_t alignment) {
    image.resize(alignUp(image.size(), alignment));
    abi::ImageRange range{image.size(), bytes};
    image.append(static_cast<const char *>(data), bytes);
    return range;
  };
  abi::ImageHeader header{};
  memcpy(header.magic, abi::kImageMagic, sizeof(header.magic));
  header.version = abi::kVersion;
  header.headerBytes = sizeof(header);
  header.offsets = place(offsets, sizeof(offsets), 64);
  header.frequencies = place(frequencies, sizeof(frequencies), 64);
  header.manifest = place(manifest.data(), manifest.size(), 64);
  header.metadata = place(metadata.bytes.data(), metadata.bytes.size(), 64);
  header.metadataCount = metadata.count;
  const std::string weights(5000, '\x5A');
  header.weights = place(weights.data(), weights.size(), 4096);
  header.bytes = image.size();
  header.layers = 1;
  header.vocabulary = kVocabulary;
  header.context = kContext;
  header.heads = 1;
  header.kvHeads = 1;
  header.headSize = kHeadSize;
  header.keyBytes = sizeof(uint64_t);
  header.valueBytes = sizeof(uint64_t);
  header.ropeRow = kRopeRow;
  memcpy(image.data(), &header, sizeof(header));
  return image;
}

abi::ImageHeader &headerOf(std::string &image) {
  return *reinterpret_cast<abi::ImageHeader *>(image.data());
}

std::string attachImage(std::string program, const std::string &image) {
  constexpr uint64_t kPage = 4096;
  auto *elf = reinterpret_cast<Elf64_Ehdr *>(program.data());
  auto *segments =
      reinterpret_cast<Elf64_Phdr *>(program.data() + elf->e_phoff);
  Elf64_Phdr *note = nullptr;
  Elf64_Addr end = 0;
  for (int i = 0; i < elf->e_phnum; ++i) {
    if (segments[i].p_type == PT_LOAD)
      end = std::max(end, segments[i].p_vaddr + segments[i].p_memsz);
    if (segments[i].p_type == PT_NOTE)
      note = &segments[i];
  }
  if (!note) {
    fputs("the linked program has no PT_NOTE; link it with --build-id\n",
          stderr);
    exit(1);
  }
  const uint64_t offset = alignUp(program.size(), kPage);
  *note = {PT_LOAD,
           PF_R,
           offset,
           alignUp(end, kPage),
           alignUp(end, kPage),
           image.size(),
           image.size(),
           kPage};
  program.resize(offset);
  return program + image;
}

} // namespace corellama::test
