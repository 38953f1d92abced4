//===- CheckpointVerify.cpp - judging the checkpoint reader ---------------===//
//
// The rules behind CheckpointVerify.h.
//
//===----------------------------------------------------------------------===//

#include "CheckpointVerify.h"
#include "compiler/Checkpoint/Checkpoint.h"
#include "compiler/Checkpoint/GGUFContainer.h"
#include "test/compiler/Checkpoint/GGUFBuilder.h"
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace corellama::test {
namespace {

using checkpoint::Checkpoint;
using checkpoint::ModelConfig;
using checkpoint::TensorInfo;
using Wide = unsigned __int128;

/// "m.gguf: PLACE: what is, what was expected; what to do", in one line of
/// printable characters.
std::string faultOfMessage(llvm::StringRef message) {
  if (llvm::any_of(message, [](char c) { return c < ' ' || c > '~'; }))
    return "the message has characters that do not print";
  llvm::StringRef rest = message;
  if (!rest.consume_front("m.gguf: "))
    return "the message does not begin with the file";
  if (!rest.starts_with("header: ") && !rest.starts_with("metadata ") &&
      !rest.starts_with("tensor "))
    return "the message does not name a place";
  if (!rest.contains(": "))
    return "the message has no colon after the place";
  if (!rest.contains(", expected ") && !rest.contains(", at most ") &&
      !rest.contains(", file has "))
    return "the message does not say what was expected";
  if (!rest.contains("; ") || rest.ends_with("."))
    return "the message does not end in what to do";
  return "";
}

std::string faultOfConfig(const ModelConfig &config) {
  constexpr uint64_t most = (uint64_t(1) << 31) - 1;
  for (uint64_t size : {config.dim, config.heads, config.kvHeads,
                        config.headSize, config.hidden, config.vocab,
                        config.context, config.heads * config.headSize})
    if (size < 1 || size > most)
      return "a size of the configuration is out of range";
  if (config.layers < 1 || config.layers > 65535)
    return "the number of layers is out of range";
  if (config.heads % config.kvHeads != 0 || config.headSize % 2 != 0)
    return "the heads do not divide";
  if (!std::isfinite(config.eps) || config.eps <= 0 ||
      !std::isfinite(config.ropeBase) || config.ropeBase < 1)
    return "a number of the configuration is out of range";
  return "";
}

/// Every tensor of the model with its columns and rows.
std::map<std::string, std::pair<Wide, Wide>>
expectedShapes(const ModelConfig &config) {
  Wide dim = config.dim, queries = Wide(config.heads) * config.headSize,
       keys = Wide(config.kvHeads) * config.headSize;
  std::map<std::string, std::pair<Wide, Wide>> shapes = {
      {"token_embd.weight", {dim, config.vocab}},
      {"output_norm.weight", {dim, 1}}};
  if (!config.tiedLMHead)
    shapes["output.weight"] = {dim, config.vocab};
  for (uint64_t l = 0; l < config.layers; ++l) {
    std::string layer = "blk." + std::to_string(l) + ".";
    shapes[layer + "attn_norm.weight"] = {dim, 1};
    shapes[layer + "attn_q.weight"] = {dim, queries};
    shapes[layer + "attn_k.weight"] = {dim, keys};
    shapes[layer + "attn_v.weight"] = {dim, keys};
    shapes[layer + "attn_output.weight"] = {queries, dim};
    shapes[layer + "ffn_norm.weight"] = {dim, 1};
    shapes[layer + "ffn_gate.weight"] = {dim, config.hidden};
    shapes[layer + "ffn_up.weight"] = {dim, config.hidden};
    shapes[layer + "ffn_down.weight"] = {config.hidden, dim};
  }
  return shapes;
}

std::string faultOfTensors(const Checkpoint &checkpoint,
                           llvm::StringRef bytes) {
  auto shapes = expectedShapes(checkpoint.config());
  if (checkpoint.tensors().size() != shapes.size())
    return "the number of tensors is not the model's";
  std::vector<std::pair<Wide, Wide>> ranges;
  volatile uint8_t touched = 0; // both ends are read, for the sanitizer
  for (const TensorInfo &info : checkpoint.tensors()) {
    auto shape = shapes.find(info.name);
    if (shape == shapes.end() || checkpoint.find(info.id) != &info ||
        weightName(info.id) != info.name)
      return info.name + " is not a tensor of the model";
    if (std::pair<Wide, Wide>(info.columns, info.rows) != shape->second)
      return info.name + " has another shape";
    auto [block, blockBytes] = blockOf(static_cast<uint32_t>(info.storedType));
    if (info.columns % block != 0 ||
        Wide(info.rows) * (info.columns / block) * blockBytes != info.bytes)
      return info.name + " has another size";
    if (info.bytes == 0 || Wide(info.offset) + info.bytes > bytes.size())
      return info.name + " is not inside the file";
    llvm::ArrayRef<uint8_t> data = checkpoint.bytes(info);
    if (data.data() != bytes.bytes_begin() + info.offset ||
        data.size() != info.bytes)
      return info.name + " lies elsewhere";
    touched = data.front();
    touched = data.back();
    ranges.push_back({info.offset, Wide(info.offset) + info.bytes});
  }
  (void)touched;
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i)
    if (ranges[i].first < ranges[i - 1].second)
      return "two tensors overlap";
  llvm::ArrayRef<uint8_t> metadata =
      llvm::cast<checkpoint::GGUFContainer>(checkpoint.container())
          .gguf()
          .metadata();
  if (metadata.begin() < bytes.bytes_begin() ||
      metadata.end() > bytes.bytes_begin() + size_t(ranges[0].first))
    return "the metadata is not before the tensors";
  return "";
}

} // namespace

Verdict readAndVerify(llvm::StringRef bytes) {
  Verdict verdict;
  std::optional<Checkpoint> read;
  std::vector<std::string> refusals;
  verdict.cost = measure([&] {
    auto container = checkpoint::readContainer(
        checkpoint::MappedFile(llvm::MemoryBuffer::getMemBuffer(
            bytes, "m.gguf", /*RequiresNullTerminator=*/false)));
    if (!container) {
      verdict.message = llvm::toString(container.takeError());
      refusals = {verdict.message};
      return;
    }
    refusals = (*container)->listRefusals().lines();
    auto opened = checkpoint::readCheckpoint(std::move(*container));
    if (opened)
      read = std::move(*opened);
    else
      verdict.message = llvm::toString(opened.takeError());
  });
  // A message, and a table of refusals.
  constexpr size_t kFixedBytes = 64 << 10;
  verdict.accepted = read.has_value();
  verdict.fault = verdict.cost.fault(bytes.size(), kFixedBytes);
  if (!verdict.fault.empty())
    return verdict;
  if (verdict.accepted != refusals.empty())
    verdict.fault = "what is listed is not what is refused";
  else if (!read)
    verdict.fault = faultOfMessage(verdict.message);
  else
    verdict.fault = faultOfConfig(read->config());
  for (const std::string &refusal : refusals)
    if (verdict.fault.empty() && !llvm::StringRef(refusal).starts_with("and "))
      verdict.fault = faultOfMessage(refusal);
  if (verdict.fault.empty() && read)
    verdict.fault = faultOfTensors(*read, bytes);
  return verdict;
}

} // namespace corellama::test
