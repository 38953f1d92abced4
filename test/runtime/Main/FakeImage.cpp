//===- FakeImage.cpp - the image of the fake program ----------------------===//
//
// See FakeImage.h. The segment takes the program header of PT_NOTE, as in the
// compiler; the file's section headers stay where they are.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Main/FakeImage.h"

#include "compiler/Text/TextSection.h"
#include "runtime/ABI/Kernel.h"
#include "test/runtime/Main/FakeModel.h"
#include "test/runtime/Tokenizer/TokenViews.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace corellama::test {

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

static std::string makeText() {
  using runtime::TokenType;
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte)
    tokens.push_back(byteToken(byte));
  for (const char *control : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"})
    tokens.push_back(control);
  tokens.push_back("he");
  runtime::TextData data;
  data.kind = runtime::TokenizerKind::byteLevel;
  data.preTokenizer = "smollm";
  data.types.assign(256, TokenType::normal);
  data.types.insert(data.types.end(), 3, TokenType::control);
  data.types.push_back(TokenType::normal);
  while (tokens.size() < kVocabulary) {
    tokens.push_back("unused" + std::to_string(tokens.size()));
    data.types.push_back(TokenType::unused);
  }
  data.tokens = runtime::test::viewsOf({tokens.begin(), tokens.end()});
  data.merges = {{'h', 'e', 259}};
  data.bos = kEndOfText;
  data.eos = kTurnEnd;
  data.ends = {kEndOfText, kTurnEnd};
  data.chatTemplate =
      "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' "
      "+ message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if "
      "add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
  return writeTextSection(data);
}

//===----------------------------------------------------------------------===//
// Image
//===----------------------------------------------------------------------===//

static uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

std::string makeImage(bool withTokenizer, bool withRing) {
  runtime::TextData none;
  none.whyNone = "the checkpoint it was compiled from has none";
  const std::string text = withTokenizer ? makeText() : writeTextSection(none);
  const uint64_t offsets[] = {0, 64};
  const std::string manifest = "{}";
  abi::PairRotation frequencies[kHeadSize / 2];
  for (uint64_t pair = 0; pair < kHeadSize / 2; ++pair)
    frequencies[pair] = {{1.0 / double(1 + pair), 0}};

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
  header.rings = place(&kRing, withRing ? sizeof(kRing) : 0, 64);
  header.manifest = place(manifest.data(), manifest.size(), 64);
  header.text = place(text.data(), text.size(), 64);
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

static std::string attachImage(std::string program, const std::string &image) {
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

std::string install(const std::string &path, const std::string &linked,
                    const std::string &image, size_t cutOff) {
  std::ifstream file(std::string(FAKE_FOLDER "/") + linked, std::ios::binary);
  std::string bytes =
      attachImage({std::istreambuf_iterator<char>(file), {}}, image);
  bytes.resize(bytes.size() - cutOff);
  std::ofstream(path, std::ios::binary) << bytes;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

} // namespace corellama::test
