//===- Tokenize.cpp - a text to its ids, and back -------------------------===//
//
// See TextCommands.h. Both directions are in one file because each must know
// what the other adds: BOS, and SentencePiece's space in front of a text.
//
//===----------------------------------------------------------------------===//

#include "compiler/TextCommands/TextCommands.h"
#include "compiler/TextCommands/TextFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace corellama;
using namespace corellama::text;
using llvm::Error;
using llvm::StringRef;
using llvm::Twine;
using runtime::Tokenizer;

namespace {
/// Gives the bytes of ids one after the other as they stood in the text.
class Decoder {
public:
  Decoder(const TextFile &file, const Tokenizer &tokenizer)
      : data(file.data()), tokenizer(tokenizer) {}

  /// The bytes of an id in the text; nothing for a control token, or the one
  /// that stands for what has no token.
  std::optional<std::string> next(int32_t id) {
    if (data.types[id] == runtime::TokenType::control)
      begin();
    std::string bytes;
    tokenizer.decode(id, bytes);
    if (bytes.empty())
      return std::nullopt;
    if (begins && data.addsSpace && bytes.front() == ' ')
      bytes.erase(0, 1);
    begins = false;
    return bytes;
  }
  /// Behind a control token a text begins anew.
  void begin() { begins = true; }

private:
  const runtime::TextData &data;
  const Tokenizer &tokenizer;
  bool begins = true;
};

/// A range of bytes of the text.
struct Place {
  size_t begin, end;
};
} // namespace

/// How many bytes of `text` a piece is that it begins with; 0: it does not.
/// SentencePiece takes a U+2581 for the space that it writes so.
static size_t matchFront(StringRef text, StringRef piece) {
  const StringRef space = runtime::Vocabulary::kSpace;
  const size_t all = text.size();
  for (char byte : piece)
    if (!text.consume_front(StringRef(&byte, 1)) &&
        !(byte == ' ' && text.consume_front(space)))
      return 0;
  return all - text.size();
}

/// Where each id stands in the text that it was made of. Bytes without a token
/// are skipped, `lost` of them at most; they are the place of the unknown token
/// where that stands for them.
static std::vector<Place> placesOf(llvm::ArrayRef<int32_t> ids, StringRef text,
                                   size_t lost, Decoder decoder,
                                   const Tokenizer &tokenizer) {
  std::vector<Place> places;
  size_t at = 0;
  std::optional<size_t> unknown;
  for (auto [i, id] : llvm::enumerate(ids)) {
    std::optional<std::string> bytes = decoder.next(id);
    const StringRef spelled = tokenizer.textOf(id);
    places.push_back({at, at});
    if (!bytes && !text.substr(at).starts_with(spelled)) {
      unknown = i;
      continue;
    }
    if (!bytes)
      decoder.begin();
    const StringRef piece = bytes ? StringRef(*bytes) : spelled;
    if (piece.empty())
      continue;
    size_t skipped = 0, size = 0;
    while ((size = matchFront(text.substr(at + skipped), piece)) == 0 &&
           skipped < lost)
      ++skipped;
    // Searched for only once, should it be nowhere.
    lost -= skipped;
    if (size == 0)
      continue;
    at += skipped;
    if (unknown)
      places[*unknown].end = at;
    unknown.reset();
    places.back() = {at, at + size};
    at += size;
  }
  if (unknown)
    places[*unknown].end = text.size();
  return places;
}

/// What is given as an option, or else the bytes of a file.
static llvm::Expected<std::string>
inputOf(const std::optional<std::string> &given, const std::string &file,
        const char *remedy) {
  if (given)
    return *given;
  return readBytes(file, remedy);
}

Error corellama::text::tokenize(const TokenizeOptions &options,
                                llvm::raw_ostream &out,
                                llvm::function_ref<void(const Twine &)> note) {
  auto file = TextFile::open(options.file);
  if (!file)
    return file.takeError();
  auto tokenizer = file->tokenizer();
  if (!tokenizer)
    return tokenizer.takeError();
  std::string text;
  if (Error error =
          inputOf(options.text, options.textFile, "give a file with a text")
              .moveInto(text))
    return error;

  std::vector<int32_t> ids;
  auto lost =
      tokenizer->encode(text, ids, {.parseSpecial = options.parseSpecial});
  if (!lost)
    return llvm::createStringError(lost.error());
  if (*lost)
    note(runtime::lostBytesNote(*lost));
  std::vector<Place> places;
  if (options.json)
    places = placesOf(ids, text, *lost, Decoder(*file, *tokenizer), *tokenizer);
  const Tokenizer::Frame frame =
      options.frame ? tokenizer->frameOf(ids) : Tokenizer::Frame();
  if (frame.bos) {
    ids.insert(ids.begin(), *frame.bos);
    places.insert(places.begin(), {0, 0});
  }
  if (frame.eos) {
    ids.push_back(*frame.eos);
    places.push_back({text.size(), text.size()});
  }
  if (Error error = file->checkUnchanged())
    return error;
  if (!options.json) {
    llvm::interleave(ids, out, ",");
    out << "\n";
    return Error::success();
  }
  out << "[";
  for (auto [i, id, place] : llvm::enumerate(ids, places))
    out << (i ? ",\n " : "\n ")
        << llvm::json::Value(llvm::json::Object{
               {"id", id},
               {"piece", llvm::json::fixUTF8(tokenizer->textOf(id))},
               {"begin", place.begin},
               {"end", place.end}});
  out << "\n]\n";
  return Error::success();
}

Error corellama::text::detokenize(const DetokenizeOptions &options,
                                  llvm::raw_ostream &out) {
  auto file = TextFile::open(options.file);
  if (!file)
    return file.takeError();
  auto tokenizer = file->tokenizer();
  if (!tokenizer)
    return tokenizer.takeError();
  std::string text;
  if (Error error =
          inputOf(options.ids, options.idsFile, "give a file with token ids")
              .moveInto(text))
    return error;
  auto refuse = [&](const std::string &problem) {
    return llvm::createStringError(
        (options.ids ? "--ids" : placeOf(options.idsFile)) + ": " + problem +
        ", expected token ids from 0 to " +
        std::to_string(tokenizer->size() - 1) +
        " separated by commas or white space");
  };
  auto ids = runtime::parseIds(text);
  if (!ids)
    return refuse(ids.error());
  for (auto [i, id] : llvm::enumerate(*ids))
    if (size_t(id) >= tokenizer->size())
      return refuse("id " + std::to_string(i + 1) + " is " +
                    runtime::quoted(std::to_string(id)) +
                    ", outside of the vocabulary");
  Decoder decoder(*file, *tokenizer);
  std::string decoded;
  for (int32_t id : *ids)
    if (std::optional<std::string> bytes = decoder.next(id))
      decoded += *bytes;
    else if (options.special)
      decoded += tokenizer->textOf(id);
  if (Error error = file->checkUnchanged())
    return error;
  out << decoded;
  return Error::success();
}
