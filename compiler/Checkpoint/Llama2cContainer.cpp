//===- Llama2cContainer.cpp - a file of llama2.c --------------------------===//
//
// See Llama2cContainer.h. All weights are float32, but for matrices of version
// 2; rows of queries and keys are in pairs, as in the graph, because Meta's own
// Llama has them so.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Llama2cContainer.h"
#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <algorithm>
#include <limits>

using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

constexpr uint32_t kMagic = 0x616b3432; // "ak42"
/// Of a file with the magic number.
constexpr uint64_t kHeaderBytes = 256;
/// Of a file without it: seven sizes.
constexpr uint64_t kSizesBytes = 28;
constexpr const char *kExportAgain = "; export the model again with llama2.c";

/// What is in a file one after the other: all layers of a role, a role of the
/// model, or the tables of RoPE, which only version 0 has and run.c skips.
struct Section {
  std::optional<Role> role;
};

constexpr Section kVersion0[] = {
    {Role::Embedding}, {Role::AttnNorm},   {Role::AttnQ},      {Role::AttnK},
    {Role::AttnV},     {Role::AttnOutput}, {Role::FfnNorm},    {Role::FfnGate},
    {Role::FfnDown},   {Role::FfnUp},      {Role::OutputNorm}, {std::nullopt},
    {Role::Output},
};
constexpr Section kVersion1[] = {
    {Role::AttnNorm}, {Role::FfnNorm}, {Role::OutputNorm}, {Role::Embedding},
    {Role::AttnQ},    {Role::AttnK},   {Role::AttnV},      {Role::AttnOutput},
    {Role::FfnGate},  {Role::FfnDown}, {Role::FfnUp},      {Role::Output},
};

ArrayRef<Section> sectionsOf(const Llama2cHeader &header) {
  if (header.hasNormsFirst)
    return kVersion1;
  return kVersion0;
}

uint32_t wordAt(ArrayRef<uint8_t> data, size_t index) {
  return llvm::support::endian::read32le(data.data() + 4 * index);
}

bool hasMagic(ArrayRef<uint8_t> data) {
  return data.size() >= 4 && wordAt(data, 0) == kMagic;
}

/// Sizes that are checked one by one; not that the file has them.
Llama2cHeader readHeader(ArrayRef<uint8_t> data) {
  Llama2cHeader header;
  auto fail = [&](const Twine &problem) {
    header.problems.push_back(problem.str() + kExportAgain);
  };
  header.dataBegin = kSizesBytes;
  size_t word = 0;
  if (hasMagic(data)) {
    header.dataBegin = kHeaderBytes;
    word = 2;
  }
  if (data.size() < header.dataBegin) {
    fail("takes " + Twine(header.dataBegin) + " bytes, file has " +
         Twine(data.size()));
    return header;
  }
  uint32_t version = 0;
  if (word != 0) {
    version = wordAt(data, 1);
    header.hasNormsFirst = version == 1 || version == 2;
    if (version == 2)
      header.problems.push_back(
          "version is 2 (int8 in groups), expected 0 or 1 (float32); its "
          "weights would have to be rounded again, export the model as "
          "float32");
    if (!header.hasNormsFirst) {
      fail("version is " + Twine(version) + ", expected 1");
      return header;
    }
  }
  bool hasSizes = true;
  auto read = [&](StringRef name, uint64_t most) -> uint64_t {
    const auto value = static_cast<int32_t>(wordAt(data, word++));
    if (value >= 1 && static_cast<uint64_t>(value) <= most)
      return static_cast<uint64_t>(value);
    fail(name + " is " + Twine(value) + ", expected 1 to " + Twine(most));
    hasSizes = false;
    return 1;
  };
  ModelConfig &config = header.config;
  config.architecture = "llama";
  config.dim = read("dim", kMaxDimension);
  config.hidden = read("hidden_dim", kMaxDimension);
  config.layers = read("n_layers", kMaxLayers);
  config.heads = read("n_heads", kMaxDimension);
  config.kvHeads = read("n_kv_heads", kMaxDimension);
  config.tiedLMHead = true;
  if (header.hasNormsFirst) {
    config.vocab = read("vocab_size", kMaxDimension);
  } else if (const auto vocab = static_cast<int32_t>(wordAt(data, word));
             vocab < 0 && vocab > std::numeric_limits<int32_t>::min()) {
    // Version 0 says so that the LM head is a weight of its own.
    config.tiedLMHead = false;
    config.vocab = static_cast<uint64_t>(-vocab);
    ++word;
  } else {
    config.vocab = read("vocab_size", kMaxDimension);
  }
  config.context = read("seq_len", kMaxDimension);
  if (header.hasNormsFirst) {
    const uint8_t shared = data[4 * word];
    if (shared > 1)
      fail("shared_classifier is " + Twine(unsigned(shared)) +
           ", expected 0 or 1");
    config.tiedLMHead = shared != 0;
  }
  if (version == 2) {
    const auto group = static_cast<int32_t>(
        llvm::support::endian::read32le(data.data() + 4 * word + 1));
    header.group = static_cast<uint32_t>(std::max(group, 1));
    if (group < 1) {
      fail("group_size is " + Twine(group) + ", expected 1 or more");
      hasSizes = false;
    }
  }
  // What follows from a refused size is not worth a line.
  if (!hasSizes)
    return header;
  const size_t before = header.problems.size();
  if (config.dim % config.heads != 0 || config.dim / config.heads % 2 != 0)
    fail("n_heads is " + Twine(config.heads) +
         ", expected heads of an even size that make dim " + Twine(config.dim));
  if (config.heads % config.kvHeads != 0)
    fail("n_kv_heads is " + Twine(config.kvHeads) +
         ", expected a divisor of n_heads " + Twine(config.heads));
  header.hasSizes = header.problems.size() == before;
  config.headSize = config.rotated = config.dim / config.heads;
  // Constants of run.c and model.py, which a file does not state.
  config.eps = 1e-5;
  config.ropeBase = 10000;
  return header;
}

/// Calls `use` with the id, offset and bytes of each weight. Returns where the
/// last ends. The number of layers is checked against the file's bytes first,
/// so that it bounds the work.
template <typename Use>
uint64_t visitWeights(const Llama2cHeader &header, uint64_t fileBytes,
                      Use use) {
  const ModelConfig &config = header.config;
  unsigned __int128 end = header.dataBegin;
  for (const Section &section : sectionsOf(header)) {
    if (section.role == Role::Output && config.tiedLMHead)
      continue;
    // The cosines and the sines of each position: half a head each.
    unsigned __int128 bytes =
        (unsigned __int128)(config.context) * config.headSize * sizeof(float);
    uint32_t layers = 1;
    if (section.role) {
      const RoleInfo &role = getInfo(*section.role);
      bytes = (unsigned __int128)(sizeOf(role.columns, config)) *
              sizeOf(role.rows, config);
      if (header.group == 0 || role.isVector())
        bytes *= sizeof(float);
      else // a byte a number, then the scales
        bytes += bytes / header.group * sizeof(float);
      layers = role.isLayered ? static_cast<uint32_t>(config.layers) : 1;
    }
    // Beyond 64 bits is beyond any file.
    if (end + bytes * layers > std::numeric_limits<uint64_t>::max())
      return std::numeric_limits<uint64_t>::max();
    if (end + bytes * layers <= fileBytes && section.role)
      for (uint32_t layer = 0; layer < layers; ++layer)
        use(WeightId{layer, *section.role},
            static_cast<uint64_t>(end + bytes * layer),
            static_cast<uint64_t>(bytes));
    end += bytes * layers;
  }
  return static_cast<uint64_t>(end);
}

uint64_t endOf(const Llama2cHeader &header) {
  return visitWeights(header, 0, [](WeightId, uint64_t, uint64_t) {});
}

} // namespace

bool Llama2cContainer::looksLike(const MappedFile &file) {
  if (hasMagic(file.data()))
    return true;
  const StringRef bytes = llvm::toStringRef(file.data());
  if (bytes.starts_with("GGUF"))
    return false;
  if (file.path().ends_with(".bin"))
    return true;
  const Llama2cHeader header = readHeader(file.data());
  return header.problems.empty() && endOf(header) == file.data().size();
}

Expected<std::unique_ptr<Container>>
Llama2cContainer::read(MappedFile file, std::optional<MappedFile> tokenizer) {
  Llama2cHeader header = readHeader(file.data());
  if (!header.hasSizes)
    return refuse(file.path(), "header",
                  llvm::join(header.problems, "; also "));
  if (const uint64_t end = endOf(header); end != file.data().size())
    header.problems.push_back(
        ("states sizes of " + Twine(end) + " bytes, file has " +
         Twine(file.data().size()) +
         "; fetch it again, or give a checkpoint of llama2.c")
            .str());
  header.config.name = llvm::sys::path::stem(file.path()).str();
  std::string path = file.path().str();
  std::vector<MappedFile> files;
  files.push_back(std::move(file));
  if (tokenizer)
    files.push_back(std::move(*tokenizer));
  return std::unique_ptr<Container>(new Llama2cContainer(
      std::move(path), std::move(files), std::move(header)));
}

Expected<std::unique_ptr<Container>> Llama2cContainer::open(MappedFile file) {
  llvm::SmallString<128> beside(llvm::sys::path::parent_path(file.path()));
  llvm::sys::path::append(beside, "tokenizer.bin");
  std::optional<MappedFile> tokenizer;
  if (llvm::sys::fs::exists(beside)) {
    auto opened = MappedFile::open(beside);
    if (!opened)
      return opened.takeError();
    tokenizer = std::move(*opened);
  }
  return read(std::move(file), std::move(tokenizer));
}

std::optional<ModelConfig>
Llama2cContainer::readConfig(Refusals &refusals) const {
  for (const std::string &problem : header.problems)
    refusals.add(path(), "header", problem);
  return header.config;
}

std::vector<TensorInfo> Llama2cContainer::readWeights(const ModelConfig &config,
                                                      Refusals &) const {
  std::vector<TensorInfo> weights;
  if (!header.problems.empty())
    return weights;
  visitWeights(header, files().front().data().size(),
               [&](WeightId id, uint64_t offset, uint64_t bytes) {
                 TensorInfo info = {};
                 info.name = weightName(id);
                 info.type = info.storedType = TensorType::F32;
                 info.rows = sizeOf(getInfo(id.role).rows, config);
                 info.columns = sizeOf(getInfo(id.role).columns, config);
                 info.offset = offset;
                 info.bytes = bytes;
                 info.id = id;
                 weights.push_back(std::move(info));
               });
  return weights;
}

void Llama2cContainer::visitTensors(
    llvm::function_ref<void(const TensorSummary &)> use) const {
  const std::string groups =
      "int8 in groups of " + std::to_string(header.group);
  visitWeights(header, files().front().data().size(),
               [&](WeightId id, uint64_t, uint64_t) {
                 const RoleInfo &role = getInfo(id.role);
                 const std::string name = weightName(id);
                 const bool isFloat = header.group == 0 || role.isVector();
                 TensorSummary tensor = {name,
                                         isFloat ? "F32" : groups,
                                         {sizeOf(role.rows, header.config),
                                          sizeOf(role.columns, header.config)}};
                 if (role.isVector())
                   tensor.shape.erase(tensor.shape.begin());
                 use(tensor);
               });
}

} // namespace corellama::checkpoint
