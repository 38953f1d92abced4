//===- WeightIndex.cpp - the tensor table of a Llama ----------------------===//
//
// Compares each tensor of a container with the table of a Llama's weights:
// name, shape, type, byte range. A missing weight is an error, and so is a
// tensor that is no weight of the table.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/WeightIndex.h"
#include "compiler/Checkpoint/Container.h"
#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"
#include <limits>
#include <numeric>
#include <tuple>

using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

class IndexReader {
public:
  IndexReader(size_t count, llvm::function_ref<ListedTensor(size_t)> list,
              llvm::ArrayRef<MappedFile> files, const ModelConfig &config,
              const WeightNames &names, Refusals &refusals)
      : count(count), list(list), files(files), config(config), names(names),
        refusals(refusals) {}

  std::vector<TensorInfo> run();

private:
  /// Of the model, in one of its layers or beyond them; nothing for others.
  std::optional<WeightId> findId(const ListedTensor &tensor) const;
  void checkNames();
  void checkNothingMissing();
  bool checkShape(const ListedTensor &tensor, TensorInfo &info);
  bool readType(const ListedTensor &tensor, TensorInfo &info);
  bool readRange(const ListedTensor &tensor, TensorInfo &info);
  void checkOverlap();

  /// False, for the result of a check. Without a `kind` tensors whose problems
  /// have the same words are one refusal.
  bool refuse(uint32_t file, StringRef name, const Twine &problem,
              StringRef kind = "", uint64_t others = 0) {
    const std::string words = problem.str();
    refusals.add(files[file].path(), "tensor " + quoted(name), words,
                 kind.empty() ? StringRef(words) : kind, others);
    isRefused = true;
    return false;
  }
  bool refuse(const ListedTensor &tensor, const Twine &problem,
              StringRef kind = "") {
    return refuse(tensor.file, tensor.name, problem, kind);
  }
  std::string nameOf(WeightId id) {
    StringRef name = names.weights[unsigned(id.role)];
    if (!getInfo(id.role).isLayered)
      return name.str();
    return (names.layerPrefix + Twine(id.layer) + "." + name).str();
  }

  size_t count;
  llvm::function_ref<ListedTensor(size_t)> list;
  llvm::ArrayRef<MappedFile> files;
  const ModelConfig &config;
  const WeightNames &names;
  Refusals &refusals;
  bool isRefused = false;
  std::vector<TensorInfo> infos; ///< while nothing is refused
};

std::vector<TensorInfo> IndexReader::run() {
  checkNames();
  // Of a model whose sizes are refused, only names can be wrong.
  if (config.headSize == 0)
    return {};
  checkNothingMissing();
  // What is refused costs no memory: names of any length would take more than
  // their tensors take in the file.
  if (!isRefused)
    infos.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    ListedTensor tensor = list(i);
    std::optional<WeightId> id = findId(tensor);
    if (!id || id->layer >= config.layers) // checkNames has refused it
      continue;
    TensorInfo info = {};
    info.file = tensor.file;
    info.id = *id;
    if (llvm::is_contained({Role::AttnQ, Role::AttnQBias, Role::AttnQNorm,
                            Role::AttnK, Role::AttnKBias, Role::AttnKNorm},
                           id->role))
      info.order = names.queriesKeys;
    // A range follows from shape and type.
    const bool hasShape = checkShape(tensor, info);
    if (!readType(tensor, info) || !hasShape || !readRange(tensor, info) ||
        isRefused)
      continue;
    info.name = tensor.name.str();
    infos.push_back(std::move(info));
  }
  if (!isRefused)
    checkOverlap();
  return isRefused ? std::vector<TensorInfo>() : std::move(infos);
}

std::optional<WeightId> IndexReader::findId(const ListedTensor &tensor) const {
  StringRef name = tensor.name;
  auto roleOf = [&](StringRef name, bool isLayered) -> std::optional<Role> {
    for (auto [i, info] : llvm::enumerate(allRoles()))
      if (info.isLayered == isLayered && names.weights[i] == name)
        return Role(i);
    return std::nullopt;
  };
  if (std::optional<Role> role = roleOf(name, /*isLayered=*/false))
    return WeightId{0, *role};
  uint32_t layer = 0;
  if (!name.consume_front(names.layerPrefix))
    return std::nullopt;
  StringRef digits = name.take_while(llvm::isDigit);
  // Each layer has one spelling: "blk.01" would be a second "blk.1".
  if (digits.getAsInteger(10, layer) || digits != std::to_string(layer))
    return std::nullopt;
  name = name.drop_front(digits.size());
  std::optional<Role> role;
  if (name.consume_front("."))
    role = roleOf(name, /*isLayered=*/true);
  if (!role || !hasRole(config, *role))
    return std::nullopt;
  return WeightId{layer, *role};
}

void IndexReader::checkNames() {
  for (size_t i = 0; i < count; ++i) {
    const ListedTensor tensor = list(i);
    if (std::optional<WeightId> id = findId(tensor)) {
      if (config.layers != 0 && id->layer >= config.layers)
        refuse(tensor, "belongs to layer " + Twine(id->layer) +
                           ", expected at most " + Twine(config.layers - 1) +
                           " by " + names.layers + "; " + names.makeAgain);
      continue;
    }
    const auto *feature =
        llvm::find_if(names.features, [&](const WeightNames::Feature &feature) {
          return tensor.name.contains(feature.text);
        });
    if (feature != names.features.end())
      refuse(tensor, "is " + feature->meaning +
                         ", expected a plain Llama; give a checkpoint "
                         "without it");
    else
      refuse(tensor, "is unknown, expected only the tensors of a plain "
                     "Llama; give a checkpoint without it");
  }
}

void IndexReader::checkNothingMissing() {
  std::vector<WeightId> found;
  for (size_t i = 0; i < count; ++i)
    if (std::optional<WeightId> id = findId(list(i)))
      found.push_back(*id);
  llvm::sort(found);
  auto next = found.begin();
  // The first that is not there is named, and the others are counted.
  std::optional<WeightId> missing;
  uint64_t others = 0;
  auto check = [&](WeightId id) {
    if (next != found.end() && *next == id)
      ++next;
    else if (missing)
      ++others;
    else
      missing = id;
  };
  for (Role role : modelRoles(config))
    check({0, role});
  std::vector<Role> layered = layerRoles(config);
  for (uint32_t layer = 0; layer < config.layers; ++layer)
    for (Role role : layered)
      check({layer, role});
  if (missing)
    refuse(0, nameOf(*missing),
           "is not among the " +
               StringRef(files.size() == 1 ? "file's " : "files' ") +
               Twine(count) + " tensors, expected in a Llama whose " +
               names.layers + " is " + Twine(config.layers) + "; " +
               names.makeAgain,
           /*kind=*/"", others);
}

bool IndexReader::checkShape(const ListedTensor &tensor, TensorInfo &info) {
  const RoleInfo &role = getInfo(info.id.role);
  info.columns = sizeOf(role.columns, config);
  info.rows = sizeOf(role.rows, config);
  // One row may have one dimension: GGUF omits trailing dimensions of 1.
  llvm::SmallVector<uint64_t, 4> extents = tensor.extents;
  if (!names.columnsFirst)
    std::reverse(extents.begin(), extents.end());
  if (extents.size() == 1)
    extents.push_back(1);
  if (extents.size() == 2 && extents[0] == info.columns &&
      extents[1] == info.rows)
    return true;
  std::string found;
  for (uint64_t extent : tensor.extents)
    found += (found.empty() ? "" : " x ") + std::to_string(extent);
  std::string expected = std::to_string(info.columns);
  std::string origin = names.sizes[unsigned(role.columns)].str();
  if (!role.isVector()) {
    auto join = [&](const std::string &columns, const std::string &rows) {
      return names.columnsFirst ? columns + " x " + rows
                                : rows + " x " + columns;
    };
    expected = join(expected, std::to_string(info.rows));
    origin = join(origin, names.sizes[unsigned(role.rows)].str());
  }
  return refuse(tensor, "is " + (found.empty() ? "a number" : found) +
                            ", expected " + expected + " (" + origin + "); " +
                            names.makeAgain);
}

bool IndexReader::readType(const ListedTensor &tensor, TensorInfo &info) {
  if (!tensor.type)
    return refuse(tensor, "has type " + tensor.typeName + ", expected " +
                              supportedTypeNames() + "; " + names.supplyType);
  info.type = info.storedType = *tensor.type;
  int64_t block = getFacts(info.type).block;
  if (getInfo(info.id.role).isVector()) {
    if (block != 1)
      return refuse(tensor, "has type " + getName(info.type) + ", expected " +
                                plainTypeNames() + " for a vector; " +
                                names.makeAgain);
    info.type = TensorType::F32;
  }
  if (info.columns % block != 0)
    return refuse(tensor, "has rows of " + Twine(info.columns) +
                              ", expected a multiple of " + Twine(block) +
                              " for " + getName(info.type) + "; " +
                              names.supplyBlocks);
  return true;
}

bool IndexReader::readRange(const ListedTensor &tensor, TensorInfo &info) {
  // On overflow of 64 bits the end is the largest value, which is beyond any
  // file.
  constexpr uint64_t tooMuch = std::numeric_limits<uint64_t>::max();
  info.offset = tensor.offset;
  info.bytes =
      byteSize(info.storedType, info.rows, info.columns).value_or(tooMuch);
  if (tensor.bytes && *tensor.bytes != info.bytes)
    return refuse(tensor, "takes " + Twine(*tensor.bytes) +
                              " bytes, expected " + Twine(info.bytes) +
                              " by its shape and type; " + names.supplyBytes);
  uint64_t end = llvm::SaturatingAdd(info.offset, info.bytes);
  uint64_t most = files[info.file].data().size();
  if (end > most)
    return refuse(tensor,
                  "ends at byte " + Twine(end) + ", file has " + Twine(most) +
                      "; " + names.supplyBytes,
                  /*kind=*/"range");
  return true;
}

void IndexReader::checkOverlap() {
  std::vector<uint32_t> byOffset(infos.size());
  std::iota(byOffset.begin(), byOffset.end(), 0u);
  llvm::sort(byOffset, [&](uint32_t a, uint32_t b) {
    // Tensors with the same offset are in the order of the list, so that the
    // message is always the same.
    return std::tuple(infos[a].file, infos[a].offset, a) <
           std::tuple(infos[b].file, infos[b].offset, b);
  });
  for (size_t i = 1; i < byOffset.size(); ++i) {
    const TensorInfo &before = infos[byOffset[i - 1]];
    const TensorInfo &info = infos[byOffset[i]];
    uint64_t end = before.offset + before.bytes; // checked in readRange
    if (info.file == before.file && info.offset < end)
      refuse(info.file, info.name,
             "begins at byte " + Twine(info.offset) + ", expected " +
                 Twine(end) + " or later, where " + quoted(before.name) +
                 " ends; the file is damaged, fetch it again",
             /*kind=*/"overlap");
  }
}

} // namespace

std::vector<TensorInfo>
indexWeights(size_t count, llvm::function_ref<ListedTensor(size_t)> list,
             llvm::ArrayRef<MappedFile> files, const ModelConfig &config,
             const WeightNames &names, Refusals &refusals) {
  return IndexReader(count, list, files, config, names, refusals).run();
}

} // namespace corellama::checkpoint
