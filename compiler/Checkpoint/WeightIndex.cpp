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

using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {
namespace {

class IndexReader {
public:
  IndexReader(size_t count, llvm::function_ref<ListedTensor(size_t)> list,
              llvm::ArrayRef<MappedFile> files, const ModelConfig &config,
              const WeightNames &names)
      : count(count), list(list), files(files), config(config), names(names) {}

  Expected<std::vector<TensorInfo>> run();

private:
  Expected<WeightId> idOf(const ListedTensor &tensor);
  Error checkNothingMissing();
  Error checkShape(const ListedTensor &tensor, TensorInfo &info);
  Error readType(const ListedTensor &tensor, TensorInfo &info);
  Error readRange(const ListedTensor &tensor, TensorInfo &info);
  Error checkOverlap();

  Error refuse(uint32_t file, StringRef name, const Twine &problem) {
    return checkpoint::refuse(files[file].path(), "tensor " + quoted(name),
                              problem);
  }
  Error refuse(const ListedTensor &tensor, const Twine &problem) {
    return refuse(tensor.file, tensor.name, problem);
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
  std::vector<TensorInfo> infos;
};

Expected<std::vector<TensorInfo>> IndexReader::run() {
  // Names are checked first.
  for (size_t i = 0; i < count; ++i)
    if (Error error = idOf(list(i)).takeError())
      return error;
  if (Error error = checkNothingMissing())
    return error;

  infos.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    ListedTensor tensor = list(i);
    Expected<WeightId> id = idOf(tensor);
    if (!id)
      return id.takeError();
    TensorInfo info = {};
    info.name = tensor.name.str();
    info.file = tensor.file;
    info.id = *id;
    if (llvm::is_contained({Role::AttnQ, Role::AttnQBias, Role::AttnQNorm,
                            Role::AttnK, Role::AttnKBias, Role::AttnKNorm},
                           id->role))
      info.order = names.queriesKeys;
    for (auto step : {&IndexReader::checkShape, &IndexReader::readType,
                      &IndexReader::readRange})
      if (Error error = (this->*step)(tensor, info))
        return error;
    infos.push_back(std::move(info));
  }
  if (Error error = checkOverlap())
    return error;
  return std::move(infos);
}

Expected<WeightId> IndexReader::idOf(const ListedTensor &tensor) {
  StringRef name = tensor.name;
  auto roleOf = [&](StringRef name, bool isLayered) -> std::optional<Role> {
    for (auto [i, info] : llvm::enumerate(allRoles()))
      if (info.isLayered == isLayered && names.weights[i] == name)
        return Role(i);
    return std::nullopt;
  };
  if (std::optional<Role> role = roleOf(name, /*isLayered=*/false))
    return WeightId{0, *role};
  StringRef rest = name;
  uint64_t layer = 0;
  if (rest.consume_front(names.layerPrefix)) {
    StringRef digits = rest.take_while(llvm::isDigit);
    // Each layer has one spelling: "blk.01" would be a second "blk.1".
    bool isNumber =
        !digits.getAsInteger(10, layer) && digits == std::to_string(layer);
    rest = rest.drop_front(digits.size());
    if (isNumber && rest.consume_front("."))
      if (std::optional<Role> role = roleOf(rest, /*isLayered=*/true);
          role && hasRole(config, *role)) {
        if (layer < config.layers)
          return WeightId{static_cast<uint32_t>(layer), *role};
        return refuse(tensor, "belongs to layer " + Twine(layer) +
                                  ", expected at most " +
                                  Twine(config.layers - 1) + " by " +
                                  names.layers + "; " + names.makeAgain);
      }
  }
  for (const WeightNames::Feature &feature : names.features)
    if (name.contains(feature.text))
      return refuse(tensor, "is " + feature.meaning +
                                ", expected a plain Llama; give a checkpoint "
                                "without it");
  return refuse(tensor, "is unknown, expected only the tensors of a plain "
                        "Llama; give a checkpoint without it");
}

Error IndexReader::checkNothingMissing() {
  std::vector<WeightId> found;
  found.reserve(count);
  for (size_t i = 0; i < count; ++i)
    found.push_back(*idOf(list(i))); // checked in run
  llvm::sort(found);
  auto next = found.begin();
  // One weight that is not there ends it, so the layers that a file only claims
  // to have cost nothing.
  auto check = [&](WeightId id) -> Error {
    if (next != found.end() && *next == id) {
      ++next;
      return Error::success();
    }
    return refuse(0, nameOf(id),
                  "is not among the " +
                      StringRef(files.size() == 1 ? "file's " : "files' ") +
                      Twine(count) + " tensors, expected in a Llama whose " +
                      names.layers + " is " + Twine(config.layers) + "; " +
                      names.makeAgain);
  };
  for (Role role : modelRoles(config))
    if (Error error = check({0, role}))
      return error;
  std::vector<Role> layered = layerRoles(config);
  for (uint32_t layer = 0; layer < config.layers; ++layer)
    for (Role role : layered)
      if (Error error = check({layer, role}))
        return error;
  return Error::success();
}

Error IndexReader::checkShape(const ListedTensor &tensor, TensorInfo &info) {
  const RoleInfo &role = getInfo(info.id.role);
  info.columns = sizeOf(role.columns, config);
  info.rows = sizeOf(role.rows, config);
  // One row may have one dimension: GGUF omits trailing dimensions of 1.
  llvm::SmallVector<uint64_t> extents(tensor.extents);
  if (!names.columnsFirst)
    std::reverse(extents.begin(), extents.end());
  if (extents.size() == 1)
    extents.push_back(1);
  if (extents.size() == 2 && extents[0] == info.columns &&
      extents[1] == info.rows)
    return Error::success();
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

Error IndexReader::readType(const ListedTensor &tensor, TensorInfo &info) {
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
  return Error::success();
}

Error IndexReader::readRange(const ListedTensor &tensor, TensorInfo &info) {
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
    return refuse(tensor, "ends at byte " + Twine(end) + ", file has " +
                              Twine(most) + "; " + names.supplyBytes);
  return Error::success();
}

Error IndexReader::checkOverlap() {
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
      return refuse(info.file, info.name,
                    "begins at byte " + Twine(info.offset) + ", expected " +
                        Twine(end) + " or later, where " + quoted(before.name) +
                        " ends; the file is damaged, fetch it again");
  }
  return Error::success();
}

} // namespace

Expected<std::vector<TensorInfo>>
indexWeights(size_t count, llvm::function_ref<ListedTensor(size_t)> list,
             llvm::ArrayRef<MappedFile> files, const ModelConfig &config,
             const WeightNames &names) {
  return IndexReader(count, list, files, config, names).run();
}

} // namespace corellama::checkpoint
