//===- SentencePieceModel.cpp - a tokenizer.model file --------------------===//
//
// See SentencePieceModel.h. The numbers of fields and the defaults of those
// that a file leaves out are those of sentencepiece_model.proto; a reader of
// protocol buffers in general is not needed for three messages.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/SentencePieceModel.h"
#include "compiler/Checkpoint/Refusal.h"
#include "compiler/Text/EndTexts.h"
#include "llvm/ADT/Twine.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

using namespace corellama;
using checkpoint::quoted;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;
using runtime::TextData;
using runtime::TokenTexts;
using runtime::TokenType;

namespace {
/// One field of a message, by its wire type.
struct Field {
  enum Type { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };
  uint64_t number = 0;
  Type type = Varint;
  uint64_t value = 0; ///< of a varint or fixed number
  StringRef bytes;
  const char *begin = nullptr; ///< of what follows the key
};

/// The fields of a message in order.
class Message {
public:
  explicit Message(StringRef bytes) : rest(bytes) {}

  /// The next field; nothing at the end, or where the bytes are none.
  std::optional<Field> next() {
    if (rest.empty() || bad)
      return std::nullopt;
    const uint64_t key = varint();
    Field field;
    field.number = key >> 3;
    field.type = static_cast<Field::Type>(key & 7);
    field.begin = rest.data();
    switch (field.type) {
    case Field::Varint:
      field.value = varint();
      break;
    case Field::Fixed64:
      if (StringRef bytes = take(8); !bad)
        field.value = llvm::support::endian::read64le(bytes.data());
      break;
    case Field::Bytes:
      field.bytes = lengthAndBytes();
      break;
    case Field::Fixed32:
      if (StringRef bytes = take(4); !bad)
        field.value = llvm::support::endian::read32le(bytes.data());
      break;
    default: // groups, which the proto does not have, and unused numbers
      bad = true;
    }
    return bad ? std::nullopt : std::optional(field);
  }
  /// What begins with its length.
  StringRef lengthAndBytes() { return take(varint()); }
  bool failed() const { return bad; }

private:
  StringRef take(uint64_t size) {
    if (bad || size > rest.size()) {
      bad = true;
      return {};
    }
    StringRef taken = rest.take_front(size);
    rest = rest.drop_front(size);
    return taken;
  }
  /// Seven bits a byte, the lowest first; ten bytes at most.
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      StringRef byte = take(1);
      if (bad)
        return 0;
      const auto bits = static_cast<uint8_t>(byte[0]);
      value |= shift < 64 ? uint64_t(bits & 0x7F) << shift : 0;
      if (!(bits & 0x80))
        return value;
    }
    bad = true;
    return 0;
  }

  StringRef rest;
  bool bad = false;
};

/// Texts by where their lengths begin.
class PieceTexts final : public TokenTexts::Source {
public:
  explicit PieceTexts(StringRef file) : file(file) {}
  std::string_view textAt(uint32_t place) const override {
    return Message(file.substr(place)).lengthAndBytes();
  }

private:
  StringRef file;
};

class Reader {
public:
  explicit Reader(llvm::MemoryBufferRef file) : file(file) {}
  Expected<TextData> run();

private:
  Error refuse(const Twine &place, const Twine &problem) {
    return llvm::createStringError(file.getBufferIdentifier() + ": " + place +
                                   ": " + problem);
  }
  Error damaged(const Twine &place) {
    return refuse(place, "is no message of protocol buffers; give the "
                         "tokenizer.model of a SentencePiece model");
  }
  Error readPiece(StringRef bytes);
  Error readTrainer(StringRef bytes);
  Error readNormalizer(StringRef bytes);
  /// The control piece of that text.
  std::optional<int32_t> findControl(StringRef text) const;

  llvm::MemoryBufferRef file;
  TextData data;
  std::vector<uint32_t> places; ///< of texts
  // trainer_spec
  uint64_t modelType = 1;
  bool isSuffix = false;
  StringRef bosPiece = "<s>", eosPiece = "</s>";
  // normalizer_spec
  StringRef normalizer, charsmap;
  bool addsSpace = true, removesSpaces = true, escapesSpaces = true;
};
} // namespace

Error Reader::readPiece(StringRef bytes) {
  const std::string place = "piece " + std::to_string(places.size());
  const char *text = nullptr;
  float score = 0;
  uint64_t type = 1;
  Message message(bytes);
  while (std::optional<Field> field = message.next()) {
    if (field->number == 1 && field->type == Field::Bytes)
      text = field->bytes.empty() ? nullptr : field->begin;
    else if (field->number == 2 && field->type == Field::Fixed32)
      score = llvm::bit_cast<float>(static_cast<uint32_t>(field->value));
    else if (field->number == 3 && field->type == Field::Varint)
      type = field->value;
  }
  if (message.failed())
    return damaged(place);
  // SentencePiece refuses such a model as well.
  if (!text)
    return refuse(place, "has no text, expected some; fetch the file again");
  if (type < 1 || type > 6)
    return refuse(place, "has type " + Twine(type) +
                             ", expected 1 to 6; fetch the file again");
  if (std::isnan(score))
    return refuse(place, "has a score that is no number; fetch the file again");
  places.push_back(static_cast<uint32_t>(text - file.getBufferStart()));
  data.types.push_back(static_cast<TokenType>(type));
  data.scores.push_back(score);
  return Error::success();
}

Error Reader::readTrainer(StringRef bytes) {
  Message message(bytes);
  while (std::optional<Field> field = message.next()) {
    if (field->number == 3 && field->type == Field::Varint)
      modelType = field->value;
    else if (field->number == 24 && field->type == Field::Varint)
      isSuffix = field->value != 0;
    else if (field->number == 46 && field->type == Field::Bytes)
      bosPiece = field->bytes;
    else if (field->number == 47 && field->type == Field::Bytes)
      eosPiece = field->bytes;
  }
  return message.failed() ? damaged("trainer_spec") : Error::success();
}

Error Reader::readNormalizer(StringRef bytes) {
  Message message(bytes);
  while (std::optional<Field> field = message.next()) {
    if (field->number == 1 && field->type == Field::Bytes)
      normalizer = field->bytes;
    else if (field->number == 2 && field->type == Field::Bytes)
      charsmap = field->bytes;
    else if (field->number == 3 && field->type == Field::Varint)
      addsSpace = field->value != 0;
    else if (field->number == 4 && field->type == Field::Varint)
      removesSpaces = field->value != 0;
    else if (field->number == 5 && field->type == Field::Varint)
      escapesSpaces = field->value != 0;
  }
  return message.failed() ? damaged("normalizer_spec") : Error::success();
}

std::optional<int32_t> Reader::findControl(StringRef text) const {
  for (size_t id = 0; id < data.tokens.size(); ++id)
    if (data.types[id] == TokenType::control &&
        text == StringRef(data.tokens[id]))
      return static_cast<int32_t>(id);
  return std::nullopt;
}

Expected<TextData> Reader::run() {
  // Counts of pieces and lengths of texts are 32 bits in the image.
  if (file.getBufferSize() > std::numeric_limits<int32_t>::max())
    return refuse("file", Twine(file.getBufferSize()) +
                              " bytes, expected a tokenizer.model of at most "
                              "2147483647");
  // Lists that grow would take twice the memory for a moment.
  size_t count = 0;
  for (Message all(file.getBuffer()); std::optional<Field> field = all.next();)
    count += field->number == 1 && field->type == Field::Bytes;
  places.reserve(count);
  data.types.reserve(count);
  data.scores.reserve(count);
  Message message(file.getBuffer());
  while (std::optional<Field> field = message.next()) {
    if (field->type != Field::Bytes)
      continue;
    if (field->number == 1)
      if (Error error = readPiece(field->bytes))
        return error;
    if (field->number == 2)
      if (Error error = readTrainer(field->bytes))
        return error;
    if (field->number == 3)
      if (Error error = readNormalizer(field->bytes))
        return error;
  }
  if (message.failed())
    return damaged("file");
  data.tokens = {std::make_shared<PieceTexts>(file.getBuffer()),
                 std::move(places)};
  if (data.tokens.empty())
    return refuse("file", "has no pieces; give the tokenizer.model of a "
                          "SentencePiece model");

  constexpr StringRef kinds[] = {"", " (unigram)", " (BPE)", " (word)",
                                 " (char)"};
  constexpr uint64_t bpe = 2;
  if (modelType != bpe)
    return refuse("trainer_spec",
                  "model_type is " + Twine(modelType) +
                      (modelType < std::size(kinds) ? kinds[modelType] : "") +
                      ", expected 2 (BPE); no other kind is supported");
  if (isSuffix)
    return refuse("trainer_spec", "treat_whitespace_as_suffix is true, "
                                  "expected false; it is not supported");
  if (!charsmap.empty())
    return refuse("normalizer_spec", quoted(normalizer) +
                                         " changes characters, expected "
                                         "'identity'; no other is supported");
  if (removesSpaces)
    return refuse("normalizer_spec", "remove_extra_whitespaces is true, "
                                     "expected false; it is not supported");
  if (!escapesSpaces)
    return refuse("normalizer_spec", "escape_whitespaces is false, expected "
                                     "true; it is not supported");
  data.kind = runtime::TokenizerKind::sentencePiece;
  data.addsSpace = addsSpace;
  data.bos = findControl(bosPiece);
  data.addsBos = data.bos.has_value();
  data.eos = findControl(eosPiece);
  if (data.eos)
    data.ends.push_back(*data.eos);
  addEndTexts(data);
  return std::move(data);
}

Expected<TextData>
corellama::readSentencePieceModel(llvm::MemoryBufferRef file) {
  return Reader(file).run();
}

bool corellama::looksLikeSentencePieceModel(StringRef path) {
  auto start =
      llvm::MemoryBuffer::getFileSlice(path, /*MapSize=*/1, /*Offset=*/0);
  // The key of field 1, the pieces, which a ModelProto begins with.
  return start && (*start)->getBuffer() == "\n";
}
