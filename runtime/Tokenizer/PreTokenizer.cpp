//===- PreTokenizer.cpp - text to the words that BPE works on -------------===//
//
// The table of pre-tokenizers, which PCRE2 executes.
//
// The expressions are those of the checkpoints' tokenizer.json, under
// llama.cpp's names. Three things are written differently, with the same
// meaning:
//  - \s is spelt as Unicode's White_Space: PCRE2's own also takes U+180E, which
//    has not been white space since Unicode 6.3 and is not in the regular
//    expression library of Hugging Face's tokenizers;
//  - text between two matches is a word too, as in the "isolated" splits of
//    tokenizer.json, so alternatives for it may be left out;
//  - in several expressions in a row, each works on the words of the one
//    before it as if they were whole texts (lookahead included).
//
//===----------------------------------------------------------------------===//

#define PCRE2_CODE_UNIT_WIDTH 8
#include "runtime/Tokenizer/PreTokenizer.h"

#include "runtime/Tokenizer/Utf8.h"

#include <array>
#include <pcre2.h>

using namespace corellama::runtime;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

// What \s stands for inside of a bracket (without the brackets).
#define SPACE "\\p{Z}\\t-\\r\\x{85}"
#define SPACES_AT_END "[" SPACE "]+(?![^" SPACE "])"

#define GPT2                                                                   \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" SPACE                     \
  "\\p{L}\\p{N}]+|" SPACES_AT_END "|[" SPACE "]+"
// GPT-4's family: they differ in the most digits of a word.
#define GPT4(DIGITS)                                                           \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" DIGITS         \
  "| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n]*|[" SPACE "]*[\\r\\n]+|" SPACES_AT_END \
  "|[" SPACE "]+"
// Tekken's classes of upper and lower case letters in a word.
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define TEKKEN                                                                 \
  "[^\\r\\n\\p{L}\\p{N}]?" UPPER "*" LOWER "+|[^\\r\\n\\p{L}\\p{N}]?" UPPER    \
  "+" LOWER "*|\\p{N}| ?[^" SPACE "\\p{L}\\p{N}]+[\\r\\n/]*|[" SPACE           \
  "]*[\\r\\n]+|" SPACES_AT_END "|[" SPACE "]+"

namespace {
constexpr size_t maxStages = 4;
using Stages = std::array<const char *, maxStages>;

struct Scheme {
  std::string_view name;
  /// Applied in order; the rest is null.
  Stages stages;
  bool wholeWords = false;
  bool addsBos = false;
};

constexpr Stages gpt2 = {GPT2};
// Each digit is a word, then GPT-2's expression on the text between.
constexpr Stages digitsGpt2 = {"\\p{N}", GPT2};
constexpr Stages llama3 = {GPT4("\\p{N}{1,3}")};
constexpr Stages qwen2 = {GPT4("\\p{N}")};
constexpr Stages tekken = {TEKKEN};
// llama.cpp's for checkpoints converted before the names existed.
constexpr Stages unnamed = {"[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+",
                            "[0-9][0-9][0-9]"};

constexpr Scheme schemes[] = {
    {"default", unnamed},
    {"gpt-2", gpt2},
    {"phi-2", gpt2},
    {"mpt", gpt2},
    {"olmo", gpt2},
    {"smollm", digitsGpt2},
    {"starcoder", digitsGpt2},
    {"refact", digitsGpt2},
    {"command-r", digitsGpt2},
    {"codeshell", digitsGpt2},
    {"exaone", digitsGpt2},
    {"llama3", llama3, true, true},
    {"llama-v3", llama3, true, true},
    {"llama-bpe", llama3, true, true},
    {"falcon3", llama3, true, true},
    {"smaug-bpe", llama3},
    {"dbrx", llama3},
    {"qwen2", qwen2},
    {"deepseek-r1-qwen", qwen2},
    {"stablelm2", qwen2},
    {"tekken", tekken, true, true},
};

// Backtracking steps of one match. All expressions above are linear: the
// longest backtrack is over one run of white space, and no prompt has one of
// this length by accident.
constexpr uint32_t matchLimit = 100'000'000;

struct Free {
  void operator()(pcre2_code *code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data *data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context *context) const {
    pcre2_match_context_free(context);
  }
};
} // namespace

struct PreTokenizer::Patterns {
  const Scheme *scheme = nullptr;
  std::vector<std::unique_ptr<pcre2_code, Free>> codes;
  std::unique_ptr<pcre2_match_data, Free> data;
  std::unique_ptr<pcre2_match_context, Free> context;

  std::optional<Error> split(std::string_view text, size_t stage,
                             std::vector<std::string_view> &words) const;
};

//===----------------------------------------------------------------------===//
// PreTokenizer
//===----------------------------------------------------------------------===//

PreTokenizer::PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer &&) noexcept = default;
PreTokenizer &PreTokenizer::operator=(PreTokenizer &&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

bool PreTokenizer::wholeWords() const { return patterns->scheme->wholeWords; }
bool PreTokenizer::addsBos() const { return patterns->scheme->addsBos; }

std::string PreTokenizer::names() {
  std::string names;
  for (const Scheme &scheme : schemes)
    names.append(names.empty() ? "" : ", ").append(scheme.name);
  return names;
}

static Error pcreError(std::string_view place, int code) {
  char message[120] = {};
  pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR *>(message),
                          sizeof(message));
  return {std::string(place) + ": " + message};
}

Result<PreTokenizer> PreTokenizer::create(std::string_view name) {
  const Scheme *scheme = nullptr;
  for (const Scheme &candidate : schemes)
    if (candidate.name == name)
      scheme = &candidate;
  if (!scheme)
    return Error{"tokenizer.ggml.pre: " + quoted(name) + ", expected one of " +
                 names() + "; use token ids in place of text"};

  PreTokenizer result;
  result.patterns = std::make_unique<Patterns>();
  Patterns &patterns = *result.patterns;
  patterns.scheme = scheme;
  patterns.context.reset(pcre2_match_context_create(nullptr));
  // One pair of offsets: nothing but the whole match is looked at.
  patterns.data.reset(pcre2_match_data_create(1, nullptr));
  if (!patterns.context || !patterns.data)
    return pcreError("tokenizer.ggml.pre", PCRE2_ERROR_NOMEMORY);
  pcre2_set_match_limit(patterns.context.get(), matchLimit);
  for (const char *stage : scheme->stages) {
    if (!stage)
      break;
    int error = 0;
    PCRE2_SIZE offset = 0;
    patterns.codes.emplace_back(pcre2_compile(
        reinterpret_cast<PCRE2_SPTR>(stage), PCRE2_ZERO_TERMINATED,
        PCRE2_UTF | PCRE2_UCP | PCRE2_NO_AUTO_CAPTURE, &error, &offset,
        nullptr));
    if (!patterns.codes.back())
      return pcreError("tokenizer.ggml.pre", error);
  }
  return result;
}

/// Splits valid UTF-8 by the expressions from `stage` on.
std::optional<Error>
PreTokenizer::Patterns::split(std::string_view text, size_t stage,
                              std::vector<std::string_view> &words) const {
  if (stage == codes.size()) {
    words.push_back(text);
    return std::nullopt;
  }
  size_t position = 0;
  while (position < text.size()) {
    size_t begin = text.size(), end = text.size();
    // The text is known to be UTF-8; checking it again in each match would take
    // quadratic time.
    int matched = pcre2_match(
        codes[stage].get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
        text.size(), position, PCRE2_NOTEMPTY | PCRE2_NO_UTF_CHECK, data.get(),
        context.get());
    if (matched >= 0) {
      const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data.get());
      begin = offsets[0];
      end = offsets[1];
    } else if (matched != PCRE2_ERROR_NOMATCH) {
      return pcreError("text: cannot be cut into words", matched);
    }
    for (std::string_view word : {text.substr(position, begin - position),
                                  text.substr(begin, end - begin)})
      if (!word.empty())
        if (std::optional<Error> error = split(word, stage + 1, words))
          return error;
    position = end;
  }
  return std::nullopt;
}

std::optional<Error> PreTokenizer::split(std::string_view text,
                                         std::vector<std::string_view> &words) {
  while (!text.empty()) {
    size_t valid = 0, invalid = 0;
    while (valid < text.size()) {
      Utf8Head head = readUtf8(text.substr(valid));
      if (head.kind != Utf8Head::whole) {
        invalid = head.bytes;
        break;
      }
      valid += head.bytes;
    }
    if (valid)
      if (std::optional<Error> error =
              patterns->split(text.substr(0, valid), 0, words))
        return error;
    if (invalid)
      words.push_back(text.substr(valid, invalid));
    text.remove_prefix(valid + invalid);
  }
  return std::nullopt;
}
