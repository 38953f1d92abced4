//===- WeightIndex.cpp - the tensor table of a Llama ----------------------===//
//
// Compares each tensor of a file with the table of a Llama's weights: name,
// shape, type, byte range. A missing weight is an error, and so is a tensor
// that is no weight of the table.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/WeightIndex.h"
#include "compiler/Checkpoint/GGUF.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <limits>
#include <numeric>

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

/// An extent of a weight, as a function of the configuration.
enum class Side { One, Dim, Queries, Keys, Hidden, Vocab };

/// A weight of the graph. A vector (a norm's weight) has One row and is F32.
struct Role {
  StringRef name; ///< within its layer where it has one: "attn_q.weight"
  Side columns;
  Side rows;
};

constexpr Role kModelRoles[] = {
    {"token_embd.weight", Side::Dim, Side::Vocab},
    {"output_norm.weight", Side::Dim, Side::One},
    // Absent where the LM head is tied to the embedding.
    {"output.weight", Side::Dim, Side::Vocab},
};

constexpr Role kLayerRoles[] = {
    {"attn_norm.weight", Side::Dim, Side::One},
    {"attn_q.weight", Side::Dim, Side::Queries},
    {"attn_k.weight", Side::Dim, Side::Keys},
    {"attn_v.weight", Side::Dim, Side::Keys},
    {"attn_output.weight", Side::Queries, Side::Dim},
    {"ffn_norm.weight", Side::Dim, Side::One},
    {"ffn_gate.weight", Side::Dim, Side::Hidden},
    {"ffn_up.weight", Side::Dim, Side::Hidden},
    {"ffn_down.weight", Side::Hidden, Side::Dim},
};

/// Names of tensors that would change the graph's meaning, for the message: the
/// first row whose text occurs in the name counts.
struct Feature {
  StringRef text;
  StringRef meaning;
};

constexpr Feature kFeatures[] = {
    {".bias", "a bias"},
    {"rope_freqs", "a table of RoPE factors"},
    {"rope_factors", "a table of RoPE factors"},
    {"_exps", "a weight of experts"},
    {"shexp", "a weight of experts"},
    {"ffn_gate_inp", "a weight of experts"},
    {"attn_q_norm", "a norm of queries"},
    {"attn_k_norm", "a norm of keys"},
};

struct Size {
  uint64_t value;
  StringRef origin; ///< for messages
};

Size sizeOf(Side side, const ModelConfig &config) {
  switch (side) {
  case Side::One:
    return {1, "1"};
  case Side::Dim:
    return {config.dim, "llama.embedding_length"};
  case Side::Queries: // within kMaxDimension, and so Keys
    return {config.heads * config.headSize,
            "llama.attention.head_count * head size"};
  case Side::Keys:
    return {config.kvHeads * config.headSize,
            "llama.attention.head_count_kv * head size"};
  case Side::Hidden:
    return {config.hidden, "llama.feed_forward_length"};
  case Side::Vocab:
    return {config.vocab, "vocabulary"};
  }
  llvm_unreachable("the switch lists every side");
}

/// The role in `roles` called `name`, or null.
const Role *findRole(llvm::ArrayRef<Role> roles, StringRef name) {
  const Role *role =
      llvm::find_if(roles, [&](const Role &row) { return row.name == name; });
  return role == roles.end() ? nullptr : role;
}

class IndexReader {
public:
  IndexReader(const GGUF &file, const ModelConfig &config)
      : file(file), config(config) {}

  Expected<std::vector<TensorInfo>> run();

private:
  Expected<const Role *> roleOf(StringRef name);
  Error checkNothingMissing();
  Error checkShape(const TensorRecord &record, const Role &role);
  Expected<TensorType> readType(const TensorRecord &record, const Role &role);
  Error readRange(const TensorRecord &record, TensorInfo &info);
  Error checkOverlap(llvm::ArrayRef<TensorInfo> infos);

  Error refuse(StringRef name, const Twine &problem) {
    return checkpoint::refuse(file.path(), "tensor " + quoted(name), problem);
  }

  const GGUF &file;
  const ModelConfig &config;
};

Expected<std::vector<TensorInfo>> IndexReader::run() {
  // Names are checked first. A Llama's tensor names have at least 18 characters
  // (output_norm.weight), so the TensorInfos take at most twice the bytes of
  // the tensor table.
  static_assert(sizeof(TensorInfo) <= 2UL * (8 + 18 + 4 + 8 + 4 + 8),
                "the index may not exceed twice the file");
  for (const TensorRecord &record : file.tensors())
    if (Error error = roleOf(record.name).takeError())
      return error;
  if (Error error = checkNothingMissing())
    return error;

  std::vector<TensorInfo> infos;
  infos.reserve(file.tensors().size());
  for (const TensorRecord &record : file.tensors()) {
    Expected<const Role *> role = roleOf(record.name);
    if (!role)
      return role.takeError();
    if (Error error = checkShape(record, **role))
      return error;
    Expected<TensorType> type = readType(record, **role);
    if (!type)
      return type.takeError();
    TensorInfo info = {record.name.str(),    *type, record.dimensions[1],
                       record.dimensions[0], 0,     0};
    if (Error error = readRange(record, info))
      return error;
    infos.push_back(std::move(info));
  }
  if (Error error = checkOverlap(infos))
    return error;
  return infos;
}

Expected<const Role *> IndexReader::roleOf(StringRef name) {
  if (const Role *role = findRole(kModelRoles, name))
    return role;
  StringRef rest = name;
  uint64_t layer = 0;
  if (rest.consume_front("blk.")) {
    StringRef digits = rest.take_while(llvm::isDigit);
    // Each layer has one spelling: "blk.01" would be a second "blk.1".
    bool isNumber =
        !digits.getAsInteger(10, layer) && digits == std::to_string(layer);
    rest = rest.drop_front(digits.size());
    if (isNumber && rest.consume_front("."))
      if (const Role *role = findRole(kLayerRoles, rest)) {
        if (layer < config.layers)
          return role;
        return refuse(name, "belongs to layer " + Twine(layer) +
                                ", expected at most " +
                                Twine(config.layers - 1) +
                                " by llama.block_count; " + kConvertAgain);
      }
  }
  for (const Feature &feature : kFeatures)
    if (name.contains(feature.text))
      return refuse(name, "is " + feature.meaning +
                              ", expected a plain Llama; give a checkpoint "
                              "without it");
  return refuse(name, "is unknown, expected only the tensors of a plain Llama; "
                      "give a checkpoint without it");
}

Error IndexReader::checkNothingMissing() {
  auto missing = [&](const Twine &name) {
    return refuse(name.str(),
                  "is not among the file's " + Twine(file.tensors().size()) +
                      " tensors, expected in a Llama whose llama.block_count "
                      "is " +
                      Twine(config.layers) + "; " + kConvertAgain);
  };
  for (const Role &role : kModelRoles)
    if (!file.findTensor(role.name) &&
        !(config.tiedLMHead && role.name == "output.weight"))
      return missing(role.name);
  for (uint64_t layer = 0; layer < config.layers; ++layer)
    for (const Role &role : kLayerRoles) {
      std::string name = ("blk." + Twine(layer) + "." + role.name).str();
      if (!file.findTensor(name))
        return missing(name);
    }
  return Error::success();
}

Error IndexReader::checkShape(const TensorRecord &record, const Role &role) {
  Size columns = sizeOf(role.columns, config);
  Size rows = sizeOf(role.rows, config);
  // GGUF omits trailing dimensions of 1, so one row may have one dimension.
  if (record.dimensionCount <= 2 && record.dimensions[0] == columns.value &&
      record.dimensions[1] == rows.value)
    return Error::success();
  std::string found;
  for (uint32_t d = 0; d < record.dimensionCount; ++d)
    found += (d ? " x " : "") + std::to_string(record.dimensions[d]);
  std::string expected = std::to_string(columns.value);
  std::string origin = columns.origin.str();
  if (role.rows != Side::One) {
    expected += " x " + std::to_string(rows.value);
    origin += " x " + rows.origin.str();
  }
  return refuse(record.name, "is " + found + ", expected " + expected + " (" +
                                 origin + "); " + kConvertAgain);
}

Expected<TensorType> IndexReader::readType(const TensorRecord &record,
                                           const Role &role) {
  std::optional<TensorType> type = toTensorType(record.typeId);
  if (!type) {
    std::optional<StringRef> known = typeName(record.typeId);
    std::string found =
        known ? known->str()
              : std::to_string(record.typeId) + ", which is no type of ggml";
    return refuse(record.name, "has type " + found + ", expected " +
                                   supportedTypeNames() +
                                   "; quantize the model to one of them");
  }
  if (role.rows == Side::One && *type != TensorType::F32)
    return refuse(record.name, "has type " + getName(*type) +
                                   ", expected F32 for a norm; " +
                                   kConvertAgain);
  int64_t block = getFacts(*type).block;
  if (record.dimensions[0] % block != 0)
    return refuse(record.name, "has rows of " + Twine(record.dimensions[0]) +
                                   ", expected a multiple of " + Twine(block) +
                                   " for " + getName(*type) +
                                   "; quantize the model again with a current "
                                   "llama.cpp");
  return *type;
}

Error IndexReader::readRange(const TensorRecord &record, TensorInfo &info) {
  // On overflow of 64 bits the end is the largest value, which is beyond any
  // file.
  constexpr uint64_t tooMuch = std::numeric_limits<uint64_t>::max();
  uint64_t bytes =
      byteSize(info.type, info.rows, info.columns).value_or(tooMuch);
  uint64_t offset = llvm::SaturatingAdd(file.dataOffset(), record.offset);
  uint64_t end = llvm::SaturatingAdd(offset, bytes);
  if (end > file.data().size())
    return refuse(record.name, "ends at byte " + Twine(end) + ", file has " +
                                   Twine(file.data().size()) +
                                   "; the download is incomplete, fetch it "
                                   "again");
  info.offset = offset;
  info.bytes = bytes;
  return Error::success();
}

Error IndexReader::checkOverlap(llvm::ArrayRef<TensorInfo> infos) {
  std::vector<uint32_t> byOffset(infos.size());
  std::iota(byOffset.begin(), byOffset.end(), 0u);
  llvm::sort(byOffset, [&](uint32_t a, uint32_t b) {
    // Tensors with the same offset are in the order of the file, so that the
    // message is always the same.
    return std::pair(infos[a].offset, a) < std::pair(infos[b].offset, b);
  });
  for (size_t i = 1; i < byOffset.size(); ++i) {
    const TensorInfo &before = infos[byOffset[i - 1]];
    const TensorInfo &info = infos[byOffset[i]];
    uint64_t end = before.offset + before.bytes; // checked in readRange
    if (info.offset < end)
      return refuse(info.name, "begins at byte " + Twine(info.offset) +
                                   ", expected " + Twine(end) +
                                   " or later, where " + quoted(before.name) +
                                   " ends; the file is damaged, fetch it "
                                   "again");
  }
  return Error::success();
}

} // namespace

Expected<std::vector<TensorInfo>> readWeights(const GGUF &file,
                                              const ModelConfig &config) {
  return IndexReader(file, config).run();
}

} // namespace corellama::checkpoint
