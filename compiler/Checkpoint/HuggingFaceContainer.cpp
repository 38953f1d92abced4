//===- HuggingFaceContainer.cpp - a folder of safetensors -----------------===//
//
// See HuggingFaceContainer.h. Rows of queries and keys are half-split there, as
// transformers' `rotate_half` needs them; the packer permutes them (Rows.h).
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/HuggingFaceContainer.h"
#include "compiler/Checkpoint/HuggingFaceConfig.h"
#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <algorithm>

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

static constexpr const char *kFetchAgain =
    "; the download is incomplete, fetch it again";
static constexpr StringRef kIndex = "model.safetensors.index.json";
static constexpr StringRef kSingle = "model.safetensors";

/// The files beside the weights that say something of the model.
static constexpr StringRef kSides[] = {
    "config.json",        "generation_config.json", "tokenizer.json",
    "tokenizer.model",    "tokenizer_config.json",  "chat_template.jinja",
    "chat_template.json",
};

/// Names of tensors that would change the graph's meaning.
static constexpr WeightNames::Feature kFeatures[] = {
    {".bias", "a bias"},
    {"q_norm", "a norm of queries"},
    {"k_norm", "a norm of keys"},
    {"expert", "a weight of experts"},
    {"block_sparse_moe", "a weight of experts"},
    {"lora_", "a weight of an adapter"},
    {"scale", "a scale of quantised weights"},
    {".qweight", "a quantised weight"},
    {".qzeros", "a zero of quantised weights"},
};

static constexpr WeightNames kNames = {
    .layerPrefix = "model.layers.",
    .weights = {"model.embed_tokens.weight",
                "model.norm.weight",
                "lm_head.weight",
                "input_layernorm.weight",
                "self_attn.q_proj.weight",
                "self_attn.q_proj.bias",
                "self_attn.k_proj.weight",
                "self_attn.k_proj.bias",
                "self_attn.v_proj.weight",
                "self_attn.v_proj.bias",
                "self_attn.q_norm.weight",
                "self_attn.k_norm.weight",
                "self_attn.o_proj.weight",
                "self_attn.o_proj.bias",
                "post_attention_layernorm.weight",
                "mlp.gate_proj.weight",
                "mlp.gate_proj.bias",
                "mlp.up_proj.weight",
                "mlp.up_proj.bias",
                "mlp.down_proj.weight",
                "mlp.down_proj.bias"},
    .sizes = {"1", "hidden_size", "num_attention_heads * head_dim",
              "num_key_value_heads * head_dim", "intermediate_size",
              "vocab_size", "head_dim"},
    .layers = "num_hidden_layers",
    .features = kFeatures,
    .makeAgain = "give a folder whose config.json and weights are of one model",
    .supplyType = "save the model in one of them",
    .supplyBlocks = "save the model in another type",
    .supplyBytes = "the download is incomplete, fetch it again",
    .columnsFirst = false,
    .queriesKeys = RowOrder::HalfSplit,
};

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

class HuggingFaceContainer::Reader {
public:
  Reader(StringRef folder, OpenFile open, std::string instead)
      : folder(folder), open(open), instead(std::move(instead)) {}
  Expected<std::unique_ptr<Container>> run();

private:
  Error readIndex();
  Error openShards();
  Error readSides();
  Error collect(HuggingFaceContainer &container);
  std::string pathOf(StringRef name) const {
    return (folder + "/" + name).str();
  }

  StringRef folder;
  OpenFile open;
  std::string instead;           ///< see HuggingFaceContainer
  std::vector<MappedFile> files; ///< the shards first
  std::vector<Side> sides;
  std::vector<std::string> shardNames; ///< sorted
  bool hasIndex = false;
  /// A tensor of the index and its shard.
  struct Entry {
    StringRef name;
    uint32_t shard;
    bool isFound = false;
  };
  std::vector<Entry> entries;          ///< sorted by name
  std::optional<MappedFile> indexFile; ///< what their names view
  llvm::BumpPtrAllocator decoded;      ///< names that have escapes in the index
};

/// An index could otherwise name any file of the machine, and messages show it.
static bool isFileName(StringRef name) {
  return name.size() <= 255 && name.ends_with(".safetensors") &&
         !name.starts_with(".") && llvm::all_of(name, [](char c) {
           return c > ' ' && c <= '~' && c != '/' && c != '\\';
         });
}

Error HuggingFaceContainer::Reader::readIndex() {
  auto file = open(kIndex);
  if (!file)
    return file.takeError();
  hasIndex = file->has_value();
  if (!hasIndex) {
    shardNames = {kSingle.str()};
    return Error::success();
  }
  const std::string path = pathOf(kIndex);
  indexFile = std::move(*file);
  auto parsed = JsonDocument::parse(llvm::toStringRef(indexFile->data()), path);
  if (!parsed)
    return parsed.takeError();
  auto map = parsed->root().find("weight_map");
  if (!map || !map->isObject())
    return refuse(path, "key 'weight_map'",
                  (map ? "is " + map->describe() : "is missing") +
                      ", expected the file of each tensor" + kFetchAgain);
  llvm::StringSet<> names;
  std::string text;
  for (const auto &[tensor, value] : map->members()) {
    std::optional<StringRef> name = value.readString(text);
    if (!name || !isFileName(*name))
      return refuse(path, "tensor " + tensor.describe(),
                    "is in " + value.describe() +
                        ", expected the name of a .safetensors file of the "
                        "folder; give a folder as it was published");
    names.insert(*name);
    // The largest models have some 200.
    constexpr size_t kMostFiles = 4096;
    if (names.size() > kMostFiles)
      return refuse(path, "key 'weight_map'",
                    "names more than " + Twine(kMostFiles) +
                        " files, expected fewer; save the model in larger "
                        "ones");
  }
  for (const auto &name : names)
    shardNames.push_back(name.getKey().str());
  llvm::sort(shardNames);
  entries.reserve(map->count());
  for (const auto &[tensor, value] : map->members()) {
    auto name =
        llvm::lower_bound(shardNames, value.readString(text).value_or(""));
    if (name != shardNames.end()) // else the file was written to
      entries.push_back({tensor.keepString(decoded).value_or(""),
                         static_cast<uint32_t>(name - shardNames.begin())});
  }
  llvm::sort(entries,
             [](const Entry &a, const Entry &b) { return a.name < b.name; });
  return Error::success();
}

Error HuggingFaceContainer::Reader::openShards() {
  for (const std::string &name : shardNames) {
    auto file = open(name);
    if (!file)
      return file.takeError();
    if (*file)
      files.push_back(std::move(**file));
    else if (hasIndex)
      return refuse(pathOf(name), "file",
                    "is missing, expected it by " + kIndex + kFetchAgain);
  }
  if (files.empty()) // of text alone; readConfig says that there are no weights
    shardNames.clear();
  return Error::success();
}

Error HuggingFaceContainer::Reader::readSides() {
  for (StringRef name : kSides) {
    auto file = open(name);
    if (!file)
      return file.takeError();
    if (!*file)
      continue;
    Side side = {name.str(), static_cast<uint32_t>(files.size()), {}, ""};
    if (name.ends_with(".json")) {
      auto parsed =
          JsonDocument::parse(llvm::toStringRef((*file)->data()), pathOf(name));
      if (parsed)
        side.json = std::move(*parsed);
      else
        side.whyNoJson = llvm::toString(parsed.takeError());
    }
    sides.push_back(std::move(side));
    files.push_back(std::move(**file));
  }
  if (!sides.empty() || !shardNames.empty())
    return Error::success();
  return refuse(folder, "folder",
                "has neither config.json nor model.safetensors" + instead +
                    ", expected a checkpoint of Hugging Face; give its folder "
                    "or a .gguf file");
}

Error HuggingFaceContainer::Reader::collect(HuggingFaceContainer &container) {
  for (uint32_t i = 0; i < shardNames.size(); ++i) {
    const MappedFile &file = container.files()[i];
    auto parsed = Safetensors::parse(file.data(), file.path(), i);
    if (!parsed)
      return parsed.takeError();
    container.shards.push_back(std::move(*parsed));
  }
  if (!hasIndex)
    return Error::success();
  for (const Safetensors &shard : container.shards)
    for (const SafetensorsRecord &record : shard.tensors()) {
      auto entry =
          std::ranges::lower_bound(entries, record.name, {}, &Entry::name);
      const bool isListed =
          entry != entries.end() && entry->name == record.name;
      if (!isListed || entry->shard != record.file)
        return refuse(
            container.files()[record.file].path(),
            "tensor " + quoted(record.name),
            (isListed ? Twine("is in another file by ") : "is not in ") +
                kIndex +
                ", expected it to list what is there; give "
                "a folder as it was published");
      entry->isFound = true;
    }
  // The first by name.
  auto missing =
      llvm::find_if(entries, [](const Entry &entry) { return !entry.isFound; });
  if (missing == entries.end())
    return Error::success();
  return refuse(container.files()[missing->shard].path(),
                "tensor " + quoted(missing->name),
                "is missing, expected it by " + kIndex + kFetchAgain);
}

Expected<std::unique_ptr<Container>> HuggingFaceContainer::Reader::run() {
  for (auto step :
       {&Reader::readIndex, &Reader::openShards, &Reader::readSides})
    if (Error error = (this->*step)())
      return error;
  std::unique_ptr<HuggingFaceContainer> container(
      new HuggingFaceContainer(folder.str(), std::move(files)));
  if (Error error = collect(*container))
    return error;
  container->sides = std::move(sides);
  container->instead = std::move(instead);
  return std::unique_ptr<Container>(std::move(container));
}

Expected<std::unique_ptr<Container>>
HuggingFaceContainer::read(StringRef folder, OpenFile open,
                           std::string instead) {
  return Reader(folder, open, std::move(instead)).run();
}

/// Of a folder without weights that can be read: what of its entries looks like
/// them, the first by name, as a part of a message; "" where nothing does.
static std::string findInstead(StringRef folder) {
  std::string found;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator at(folder, error), end;
       !error && at != end; at.increment(error)) {
    StringRef name = llvm::sys::path::filename(at->path());
    // A repository of the cache has its folders in this one.
    if (name == "snapshots")
      return ", but 'snapshots', whose folders are the model's revisions";
    if (llvm::any_of(std::initializer_list<StringRef>{".safetensors", ".bin",
                                                      ".pt", ".pth", ".gguf"},
                     [&](StringRef end) { return name.ends_with(end); }) &&
        (found.empty() || name < found))
      found = name.str();
  }
  if (found.empty())
    return "";
  const bool isShard = StringRef(found).starts_with("model-") &&
                       StringRef(found).ends_with(".safetensors");
  // Of a model in several files only the index says which they are.
  return ", but " + quoted(found) +
         (isShard ? (" without " + kIndex).str() : "");
}

Expected<std::unique_ptr<Container>>
HuggingFaceContainer::open(StringRef folder) {
  // "a/" is "a" in messages.
  while (folder.size() > 1 && folder.ends_with("/"))
    folder = folder.drop_back();
  auto open = [&](StringRef name) -> Expected<std::optional<MappedFile>> {
    const std::string path = (folder + "/" + name).str();
    // A link to nothing is a file that cannot be read, not a missing one.
    llvm::sys::fs::file_status status;
    if (llvm::sys::fs::status(path, status, /*follow=*/false) ==
        std::errc::no_such_file_or_directory)
      return std::nullopt;
    auto file = MappedFile::open(path);
    if (!file)
      return file.takeError();
    return std::optional(std::move(*file));
  };
  auto isThere = [&](StringRef name) {
    return llvm::sys::fs::exists(folder + "/" + name);
  };
  return read(folder, open,
              isThere(kSingle) || isThere(kIndex) ? "" : findInstead(folder));
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

const HuggingFaceContainer::Side *
HuggingFaceContainer::find(StringRef name) const {
  auto side =
      llvm::find_if(sides, [&](const Side &side) { return side.name == name; });
  return side == sides.end() ? nullptr : &*side;
}

std::optional<StringRef> HuggingFaceContainer::textOf(StringRef name) const {
  const Side *side = find(name);
  if (!side)
    return std::nullopt;
  return llvm::toStringRef(files()[side->file].data());
}

Expected<std::optional<JsonValue>>
HuggingFaceContainer::jsonOf(StringRef name) const {
  const Side *side = find(name);
  if (!side)
    return std::nullopt;
  if (!side->json)
    return llvm::createStringError(side->whyNoJson);
  return side->json->root();
}

std::optional<ModelConfig>
HuggingFaceContainer::readConfig(Refusals &refusals) const {
  const std::string path = (this->path() + "/config.json").str();
  if (!hasTensors())
    refusals.add(this->path(), "folder",
                 "has no weights in model.safetensors" + instead +
                     ", expected them; give a folder with safetensors, whole");
  // What it says of tokens that end an answer is read as text.
  if (Error error = jsonOf("generation_config.json").takeError())
    refusals.add(std::move(error));
  auto root = jsonOf("config.json");
  if (!root) {
    refusals.add(root.takeError());
    return std::nullopt;
  }
  if (!*root) {
    refusals.add(path, "file",
                 Twine("is missing, expected the sizes of the model") +
                     kFetchAgain);
    return std::nullopt;
  }
  auto config = readModelConfig(**root, path, refusals);
  if (config)
    config->name = nameOfFolder(this->path());
  return config;
}

/// Whether transformers does not read a tensor of that name.
static bool isUnread(StringRef name, const ModelConfig &config) {
  // A buffer of frequencies, which files of before 2023 have.
  return name.ends_with(".rotary_emb.inv_freq") ||
         (config.tiedLMHead && name == "lm_head.weight");
}

/// A tensor of a file of the folder.
static ListedTensor list(const SafetensorsRecord &record) {
  // ggml's numbers of these types.
  constexpr std::pair<StringRef, uint64_t> types[] = {
      {"F32", 0}, {"F16", 1}, {"BF16", 30}};
  ListedTensor listed;
  listed.name = record.name;
  listed.extents.assign(record.extents, record.extents + record.extentCount);
  for (const auto &[name, id] : types)
    if (record.type == name)
      listed.type = toTensorType(id);
  if (!listed.type)
    listed.typeName = quoted(record.type);
  listed.file = record.file;
  listed.offset = record.offset;
  listed.bytes = record.bytes;
  return listed;
}

void HuggingFaceContainer::visitTensors(
    llvm::function_ref<void(const TensorSummary &)> use) const {
  for (const Safetensors &shard : shards)
    for (const SafetensorsRecord &record : shard.tensors()) {
      const ListedTensor listed = list(record);
      use({listed.name,
           listed.type ? getName(*listed.type).str() : listed.typeName,
           {listed.extents.begin(), listed.extents.end()}});
    }
}

std::vector<TensorInfo>
HuggingFaceContainer::readWeights(const ModelConfig &config,
                                  Refusals &refusals) const {
  std::vector<const SafetensorsRecord *> weights;
  size_t count = 0;
  for (const Safetensors &shard : shards)
    count += shard.tensors().size();
  weights.reserve(count);
  for (const Safetensors &shard : shards)
    for (const SafetensorsRecord &record : shard.tensors())
      if (!isUnread(record.name, config))
        weights.push_back(&record);
  return indexWeights(
      weights.size(), [&](size_t i) { return list(*weights[i]); }, files(),
      config, kNames, refusals);
}

std::string nameOfFolder(StringRef path) {
  namespace paths = llvm::sys::path;
  llvm::SmallString<128> whole(path);
  // "." has no name of its own.
  if (llvm::sys::fs::make_absolute(whole))
    return "model";
  paths::remove_dots(whole, /*remove_dot_dot=*/true);
  StringRef name = paths::filename(whole);
  // models--OWNER--NAME/snapshots/REVISION
  StringRef snapshots = paths::parent_path(whole);
  if (paths::filename(snapshots) == "snapshots") {
    StringRef repository = paths::filename(paths::parent_path(snapshots));
    if (repository.consume_front("models--"))
      name = repository.contains("--") ? repository.rsplit("--").second
                                       : repository;
  }
  return name.empty() || name == "/" ? "model" : name.str();
}

} // namespace corellama::checkpoint
