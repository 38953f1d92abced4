//===- Safetensors.cpp - the table of a safetensors file ------------------===//
//
// See Safetensors.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Safetensors.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Checkpoint/TensorType.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"

using llvm::ArrayRef;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

static constexpr const char *kFetchAgain =
    "; the file is incomplete or damaged, fetch it again";

/// Fills all but the name. The problem, or nothing.
static std::string readRecord(JsonValue value, uint64_t dataBegin,
                              uint64_t dataBytes,
                              llvm::BumpPtrAllocator &decoded,
                              SafetensorsRecord &record) {
  for (const auto &[key, unused] : value.members())
    if (!key.isString("dtype") && !key.isString("shape") &&
        !key.isString("data_offsets"))
      return "has the key " + key.describe() +
             ", expected dtype, shape and data_offsets";
  auto type = value.find("dtype"), shape = value.find("shape"),
       range = value.find("data_offsets");
  std::optional<StringRef> typeName =
      type ? type->keepString(decoded) : std::nullopt;
  if (!typeName)
    return "has no dtype, expected the name of a type";
  record.type = *typeName;
  if (!shape || !shape->isArray())
    return "has no shape, expected a list of numbers";
  for (JsonValue extent : shape->elements()) {
    if (record.extentCount == SafetensorsRecord::kMostExtents)
      return "has " + std::to_string(shape->count()) +
             " dimensions, expected at most " +
             std::to_string(SafetensorsRecord::kMostExtents);
    std::optional<uint64_t> number = extent.asUnsigned();
    if (!number || *number < 1 || *number > kMaxDimension)
      return "has an extent of " + extent.describe() + ", expected 1 to " +
             std::to_string(kMaxDimension);
    record.extents[record.extentCount++] = static_cast<uint32_t>(*number);
  }
  std::vector<JsonValue> ends =
      range ? range->first(3) : std::vector<JsonValue>();
  std::optional<uint64_t> begin, end;
  if (ends.size() == 2) {
    begin = ends[0].asUnsigned();
    end = ends[1].asUnsigned();
  }
  if (!begin || !end || *begin > *end)
    return "has no data_offsets, expected where it begins and ends";
  if (*end > dataBytes)
    return "ends at byte " + std::to_string(*end) + " of the data, file has " +
           std::to_string(dataBytes);
  record.offset = dataBegin + *begin;
  record.bytes = *end - *begin;
  return "";
}

Expected<Safetensors> Safetensors::parse(ArrayRef<uint8_t> data, StringRef path,
                                         uint32_t number) {
  // The limit is that of Hugging Face's own reader.
  constexpr uint64_t kLongestHeader = 100'000'000;
  constexpr uint64_t kLengthBytes = 8;
  if (data.size() < kLengthBytes)
    return refuse(path, "header",
                  "takes at least 8 bytes, file has " + Twine(data.size()) +
                      kFetchAgain);
  const uint64_t length = llvm::support::endian::read64le(data.data());
  const uint64_t rest = data.size() - kLengthBytes;
  if (length > rest || length > kLongestHeader)
    return refuse(path, "header",
                  "takes " + Twine(length) + " bytes, expected at most " +
                      Twine(std::min(rest, kLongestHeader)) + kFetchAgain);
  Expected<JsonDocument> header = JsonDocument::parse(
      llvm::toStringRef(data.slice(kLengthBytes, length)), path);
  if (!header)
    return header.takeError();
  if (!header->root().isObject())
    return refuse(path, "header",
                  "is " + header->root().describe() +
                      ", expected an object of tensors" + kFetchAgain);

  Safetensors file;
  // The smallest tensor, "":{"dtype":"","shape":[],"data_offsets":[0,0]},
  // bounds their number: the table is at most twice the file.
  constexpr size_t kSmallest = 48;
  static_assert(sizeof(SafetensorsRecord) <= 2 * kSmallest);
  file.records.reserve(
      std::min(header->root().count(), size_t(length / kSmallest + 1)));
  for (const auto &[name, value] : header->root().members()) {
    // Of people: the format gives it no meaning.
    if (name.isString("__metadata__"))
      continue;
    SafetensorsRecord record = {};
    record.file = number;
    record.name = name.keepString(file.decoded).value_or("");
    std::string problem = readRecord(value, kLengthBytes + length,
                                     rest - length, file.decoded, record);
    if (!problem.empty())
      return refuse(path, "tensor " + name.describe(), problem + kFetchAgain);
    file.records.push_back(record);
  }
  return std::move(file);
}

} // namespace corellama::checkpoint
