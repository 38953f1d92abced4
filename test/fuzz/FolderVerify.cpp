//===- FolderVerify.cpp - what must hold of folders and llama2.c ----------===//
//
// See FolderVerify.h.
//
//===----------------------------------------------------------------------===//

#include "FolderVerify.h"
#include "TextVerify.h"
#include "compiler/Checkpoint/GGUFContainer.h"
#include "compiler/Checkpoint/Llama2cContainer.h"
#include "compiler/Text/ContainerText.h"
#include "test/compiler/Checkpoint/GGUFBuilder.h"
#include <algorithm>
#include <charconv>

namespace corellama::test {
namespace {

using checkpoint::Checkpoint;
using checkpoint::Container;
using checkpoint::TensorInfo;
using Wide = unsigned __int128;

std::string faultOfMessage(llvm::StringRef message) {
  if (message.empty() ||
      llvm::any_of(message, [](char c) { return c < ' ' || c > '~'; }))
    return "the message is no line: " + message.str();
  if (!message.contains(": ") || !message.contains("; "))
    return "the message has no place or advice: " + message.str();
  return "";
}

std::string faultOfModel(const Checkpoint &checkpoint) {
  std::vector<std::tuple<uint32_t, Wide, Wide>> ranges;
  volatile uint8_t touched = 0; // both ends are read, for the sanitizer
  const checkpoint::ModelConfig &config = checkpoint.config();
  if (config.layers < 1 || config.layers > 65535 ||
      config.heads % config.kvHeads != 0 || config.headSize % 2 != 0)
    return "the configuration is no model's";
  for (const TensorInfo &info : checkpoint.tensors()) {
    const checkpoint::RoleInfo &role = getInfo(info.id.role);
    if (checkpoint.find(info.id) != &info ||
        info.rows != sizeOf(role.rows, config) ||
        info.columns != sizeOf(role.columns, config))
      return info.name + " is not a weight of the model";
    auto [block, blockBytes] = blockOf(static_cast<uint32_t>(info.storedType));
    if (info.columns % block != 0 ||
        Wide(info.rows) * (info.columns / block) * blockBytes != info.bytes)
      return info.name + " has another size";
    if (Wide(info.offset) + info.bytes >
        checkpoint.container().files()[info.file].data().size())
      return info.name + " is not inside of its file";
    touched = checkpoint.bytes(info).front();
    touched = checkpoint.bytes(info).back();
    std::vector<uint8_t> scratch;
    const uint64_t last = info.rows - 1;
    if (info.columns < 4096) {
      // Nothing is quantised, which is all that could fail.
      auto rows = checkpoint.readRows(info, last, 1, scratch);
      if (!rows)
        return "rows of " + info.name + ": " + llvm::toString(rows.takeError());
      touched = rows->back();
    }
    ranges.emplace_back(info.file, info.offset, Wide(info.offset) + info.bytes);
  }
  (void)touched;
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i)
    if (std::get<0>(ranges[i]) == std::get<0>(ranges[i - 1]) &&
        std::get<1>(ranges[i]) < std::get<2>(ranges[i - 1]))
      return "two weights overlap";
  return "";
}

llvm::Expected<std::unique_ptr<Container>> open(const FolderFiles &files) {
  auto map = [](const std::string &bytes, llvm::StringRef name) {
    return checkpoint::MappedFile(llvm::MemoryBuffer::getMemBuffer(
        bytes, name, /*RequiresNullTerminator=*/false));
  };
  std::vector<checkpoint::MappedFile> parts;
  for (const auto &[name, bytes] : files)
    if (llvm::StringRef(name).ends_with(".gguf"))
      parts.push_back(map(bytes, "m.gguf"));
  if (!parts.empty())
    return checkpoint::GGUFContainer::read(std::move(parts));
  auto model = files.find("m.bin");
  if (model == files.end())
    return openFolder(files);
  std::optional<checkpoint::MappedFile> tokenizer;
  if (auto found = files.find("tokenizer.bin"); found != files.end())
    tokenizer = map(found->second, "tokenizer.bin");
  return checkpoint::Llama2cContainer::read(map(model->second, "m.bin"),
                                            std::move(tokenizer));
}

} // namespace

FolderFiles splitFiles(std::string_view input) {
  FolderFiles files;
  while (!input.empty()) {
    auto take = [&] {
      const size_t end = std::min(input.find('\xFF'), input.size());
      std::string_view word = input.substr(0, end);
      input.remove_prefix(std::min(end + 1, input.size()));
      return word;
    };
    const std::string_view name = take(), digits = take();
    size_t length = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
    files.insert_or_assign(std::string(name),
                           std::string(input.substr(0, length)));
    input.remove_prefix(std::min(length, input.size()));
  }
  return files;
}

std::string joinFiles(const FolderFiles &files) {
  std::string all;
  for (const auto &[name, bytes] : files)
    all += name + "\xFF" + std::to_string(bytes.size()) + "\xFF" + bytes;
  return all;
}

FolderVerdict verifyFolder(std::string_view input) {
  FolderVerdict verdict;
  const FolderFiles files = splitFiles(input);
  std::unique_ptr<Container> container;
  std::vector<std::string> refusals;
  ContainerText text;
  verdict.cost = measure([&] {
    auto opened = open(files);
    if (!opened) {
      refusals = {llvm::toString(opened.takeError())};
      return;
    }
    container = std::move(*opened);
    refusals = container->listRefusals().lines();
    text = readText(*container);
  });
  // Messages; and ids of a tokenizer.json may have 65536 holes, of some 13
  // bytes each.
  const size_t fixedBytes =
      files.contains("tokenizer.json") ? 1 << 20 : 64 << 10;
  verdict.fault = verdict.cost.fault(input.size(), fixedBytes);
  for (const std::string &refusal : refusals)
    if (verdict.fault.empty() && !llvm::StringRef(refusal).starts_with("and "))
      verdict.fault = faultOfMessage(refusal);
  if (!container || !verdict.fault.empty())
    return verdict;
  verdict.hasText = text.data.kind != runtime::TokenizerKind::none;
  if (!verdict.hasText)
    verdict.fault = faultOfMessage(text.data.whyNone);
  if (verdict.fault.empty())
    verdict.fault = faultOfText(text.data, input);
  auto read = checkpoint::readCheckpoint(std::move(container));
  verdict.hasModel = bool(read);
  if (verdict.hasModel != refusals.empty())
    verdict.fault = "what is listed is not what is refused";
  if (std::string fault =
          read ? faultOfModel(*read)
               : faultOfMessage(llvm::toString(read.takeError()));
      !fault.empty())
    verdict.fault = fault;
  return verdict;
}

} // namespace corellama::test
