//===- HuggingFaceText.cpp - the text part of a folder --------------------===//
//
// See HuggingFaceText.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/HuggingFaceText.h"
#include "compiler/Text/EndTexts.h"
#include "compiler/Text/SentencePieceModel.h"
#include "compiler/Text/TokenizerJson.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <limits>

using namespace corellama;
using checkpoint::HuggingFaceContainer;
using checkpoint::JsonValue;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;
using runtime::TextData;

static constexpr const char *kUseIds = "; use token ids in place of text";

/// The value of a key of a file; nothing where one of them is missing or null,
/// or the file damaged, which readTokenizer says.
static std::optional<JsonValue> find(const HuggingFaceContainer &folder,
                                     StringRef file, StringRef key) {
  auto root = folder.jsonOf(file);
  if (!root) {
    llvm::consumeError(root.takeError());
    return std::nullopt;
  }
  auto value = *root ? (*root)->find(key) : std::nullopt;
  return value && !value->isNull() ? value : std::nullopt;
}

/// A newer file wins over an older one; of several templates the one that is
/// named "default".
static std::optional<StringRef>
findTemplate(const HuggingFaceContainer &folder) {
  if (std::optional<StringRef> text = folder.textOf("chat_template.jinja"))
    return text;
  for (StringRef file : {"chat_template.json", "tokenizer_config.json"}) {
    auto value = find(folder, file, "chat_template");
    if (!value)
      continue;
    if (std::optional<StringRef> text = value->asString())
      return text;
    for (JsonValue named : value->elements()) {
      auto name = named.find("name"), text = named.find("template");
      if (name && name->isString("default") && text && text->asString())
        return text->asString();
    }
  }
  return std::nullopt;
}

static Expected<TextData> readTokenizer(const HuggingFaceContainer &folder) {
  for (StringRef file : {"tokenizer_config.json", "chat_template.json",
                         "generation_config.json"})
    if (Error error = folder.jsonOf(file).takeError())
      return error;
  auto json = folder.jsonOf("tokenizer.json");
  if (!json)
    return json.takeError();
  if (*json)
    return readTokenizerJson(**json);
  std::optional<StringRef> model = folder.textOf("tokenizer.model");
  if (!model)
    return llvm::createStringError("tokenizer.json: missing" + Twine(kUseIds));
  auto data = readSentencePieceModel({*model, "tokenizer.model"});
  if (!data)
    return data.takeError();
  data->ends.clear(); // below
  auto adds = [&](StringRef key, bool fallback) {
    auto value = find(folder, "tokenizer_config.json", key);
    return value ? value->asBool().value_or(fallback) : fallback;
  };
  data->addsBos = data->bos && adds("add_bos_token", true);
  data->addsEos = data->eos && adds("add_eos_token", false);
  return data;
}

/// The token of a key such as "eos_token", which is a text or an object.
static std::optional<int32_t> tokenOf(const HuggingFaceContainer &folder,
                                      StringRef key, const TextData &data) {
  auto value = find(folder, "tokenizer_config.json", key);
  if (value && value->isObject())
    value = value->find("content");
  std::optional<StringRef> text = value ? value->asString() : std::nullopt;
  if (text)
    for (const auto &[id, token] : llvm::enumerate(data.tokens))
      if (StringRef(token) == *text)
        return static_cast<int32_t>(id);
  return std::nullopt;
}

/// The ids by which generate() ends, in both files: one or a list.
static Error readEnds(const HuggingFaceContainer &folder, TextData &data) {
  const size_t count = data.tokens.empty() ? std::numeric_limits<int32_t>::max()
                                           : data.tokens.size();
  for (StringRef file : {"generation_config.json", "config.json"}) {
    auto value = find(folder, file, "eos_token_id");
    if (!value)
      continue;
    auto add = [&](JsonValue id) -> Error {
      std::optional<uint64_t> number = id.asUnsigned();
      if (!number || *number >= count)
        return llvm::createStringError(
            file + ": eos_token_id: is " + id.describe() +
            ", expected a token id below " + Twine(count) + kUseIds);
      data.ends.push_back(static_cast<int32_t>(*number));
      return Error::success();
    };
    // Models have up to three.
    constexpr size_t kMostEnds = 1024;
    if (value->isArray() && value->count() > kMostEnds)
      return llvm::createStringError(file + ": eos_token_id: is " +
                                     value->describe() + ", expected at most " +
                                     Twine(kMostEnds) + " ids" + kUseIds);
    if (!value->isArray())
      if (Error error = add(*value))
        return error;
    for (JsonValue id : value->elements())
      if (Error error = add(id))
        return error;
  }
  return Error::success();
}

static Error complete(const HuggingFaceContainer &folder, TextData &data) {
  auto vocab = find(folder, "config.json", "vocab_size");
  std::optional<uint64_t> rows = vocab ? vocab->asUnsigned() : std::nullopt;
  if (rows && data.tokens.size() > *rows)
    return llvm::createStringError(
        "tokenizer.json: has " + Twine(data.tokens.size()) +
        " tokens, expected at most the " + Twine(*rows) +
        " of config.json's vocab_size" + kUseIds);
  if (!data.bos)
    data.bos = tokenOf(folder, "bos_token", data);
  if (!data.eos)
    data.eos = tokenOf(folder, "eos_token", data);
  if (data.eos)
    data.ends.push_back(*data.eos);
  return readEnds(folder, data);
}

ContainerText corellama::readText(const HuggingFaceContainer &folder) {
  ContainerText text;
  text.namesTokenizer =
      folder.textOf("tokenizer.json") || folder.textOf("tokenizer.model");
  if (std::optional<StringRef> found = findTemplate(folder))
    text.chatTemplate = *found;
  Expected<TextData> data = readTokenizer(folder);
  Error error = data ? complete(folder, *data) : data.takeError();
  if (error) {
    text.data.whyNone = llvm::toString(std::move(error));
    llvm::consumeError(readEnds(folder, text.data));
  } else {
    text.data = std::move(*data);
    text.data.chatTemplate = text.chatTemplate;
  }
  addEndTexts(text.data);
  return text;
}
