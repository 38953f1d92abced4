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

// English contractions, in capitals too.
#define SUFFIXES "(?i:'s|'t|'re|'ve|'m|'ll|'d)"

#define GPT2                                                                   \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" SPACE                     \
  "\\p{L}\\p{N}]+|" SPACES_AT_END "|[" SPACE "]+"
// What a word of letters may begin with: one character before it.
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define SYMBOLS " ?[^" SPACE "\\p{L}\\p{N}]+"
#define LINES "[" SPACE "]*[\\r\\n]+"
// GPT-4's family: they differ in the most digits of a word.
#define GPT4(DIGITS)                                                           \
  SUFFIXES "|" BEFORE "\\p{L}+|" DIGITS "|" SYMBOLS "[\\r\\n]*|" LINES         \
           "|" SPACES_AT_END "|[" SPACE "]+"
// Tekken's classes of upper and lower case letters in a word; GPT-4o's family
// differs in what may follow these, and in digits.
#define UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define CASES(AFTER, DIGITS)                                                   \
  BEFORE UPPER "*" LOWER "+" AFTER "|" BEFORE UPPER "+" LOWER "*" AFTER        \
               "|" DIGITS "|" SYMBOLS "[\\r\\n/]*|" LINES "|" SPACES_AT_END    \
               "|[" SPACE "]+"
// DeepSeek's letters: those with case, as its tokenizer.json writes them out
// (there are none of the mathematical symbols among them).
#define CASED_LETTERS                                                          \
  "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}"                \
  "\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}"       \
  "\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}\\x{388}-\\x{38A}"         \
  "\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}"                \
  "\\x{48A}-\\x{52F}\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}"                      \
  "\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}"                  \
  "\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}"                  \
  "\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}"                  \
  "\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}\\x{1F59}"         \
  "\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}"                   \
  "\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}"         \
  "\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}"                  \
  "\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}"                   \
  "\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}"          \
  "\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}"                   \
  "\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}"          \
  "\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}"         \
  "\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}"         \
  "\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}"                  \
  "\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}"                  \
  "\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}"              \
  "\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}"            \
  "\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"
#define CHINESE "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+"
#define CHINESE_AND_KANA                                                       \
  "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+"
#define ASCII_PUNCTUATION "[!-/:-@\\[-`{-~]"
// BLOOM's words end at white space and at these.
#define BLOOM                                                                  \
  " ?[^(" SPACE "|.,!?\\x{2026}\\x{3002}\\x{FF0C}\\x{3001}\\x{964}\\x{6D4}"    \
  "\\x{60C})]+"

namespace {
constexpr size_t maxStages = 6;
using Stages = std::array<const char *, maxStages>;

struct Scheme {
  std::string_view name;
  /// Applied in order; the rest is null.
  Stages stages;
  PreTokenizer::Customs customs = {};
};

constexpr Stages gpt2 = {GPT2};
// Each digit is a word, then GPT-2's expression on the text between.
constexpr Stages digitsGpt2 = {"\\p{N}", GPT2};
constexpr Stages llama3 = {GPT4("\\p{N}{1,3}")};
constexpr Stages qwen2 = {GPT4("\\p{N}")};
constexpr Stages qwen35 = {SUFFIXES "|" BEFORE
                                    "[\\p{L}\\p{M}]+|\\p{N}| ?[^" SPACE
                                    "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" LINES
                                    "|" SPACES_AT_END "|[" SPACE "]+"};
constexpr Stages seedCoder = {SUFFIXES "|" BEFORE "\\p{L}+|\\p{N}|" SYMBOLS
                                       "|" LINES "|" SPACES_AT_END "|[" SPACE
                                       "]+"};
constexpr Stages miniCpm = {"\\p{N}{1,3}", GPT4("\\p{N}+")};
constexpr Stages tekken = {CASES("", "\\p{N}")};
constexpr Stages gpt4o = {CASES(SUFFIXES "?", "\\p{N}{1,3}")};
// Its tokenizer.json also cuts digits off bytes, where no merge of Falcon's
// vocabularies crosses.
constexpr Stages falcon = {"[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2,
                           "[0-9][0-9][0-9]"};
constexpr Stages deepSeekLlm = {
    "[\\r\\n]", "[" SPACE "]?[" CASED_LETTERS "]+",
    "[" SPACE "]?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}"
    "\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+",
    // White space at the end; the look back keeps a long run linear.
    "(?<![" SPACE "])[" SPACE "]++$", CHINESE, "\\p{N}"};
constexpr Stages deepSeekCoder = {"[\\r\\n]", "[" SPACE "]?\\p{L}+",
                                  "[" SPACE "]?\\p{P}+", CHINESE, "\\p{N}"};
constexpr Stages deepSeek3 = {
    "\\p{N}{1,3}", CHINESE_AND_KANA,
    ASCII_PUNCTUATION "[A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
                      "?[\\p{P}\\p{S}]+[\\r\\n]*|" LINES "|" SPACES_AT_END
                      "|[" SPACE "]+"};
constexpr Stages bloom = {BLOOM};
constexpr Stages viking = {BLOOM, "\\p{N}"};
// llama.cpp's for checkpoints converted before the names existed.
constexpr Stages unnamed = {"[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+",
                            "[0-9][0-9][0-9]"};

constexpr Scheme schemes[] = {
    {"default", unnamed},
    {"gpt-2", gpt2},
    {"phi-2", gpt2},
    {"mpt", gpt2},
    {"olmo", gpt2},
    {"jais", gpt2},
    {"trillion", gpt2},
    {"gigachat", gpt2},
    {"a.x-4.0", gpt2},
    {"mellum", gpt2},
    {"exaone4", gpt2},
    {"granite-docling", gpt2},
    {"smollm", digitsGpt2},
    {"starcoder", digitsGpt2},
    {"refact", digitsGpt2},
    {"command-r", digitsGpt2},
    {"codeshell", digitsGpt2},
    {"exaone", digitsGpt2},
    {"minerva-7b", digitsGpt2},
    {"mellum2", digitsGpt2},
    {"llama3", llama3, {true, true}},
    {"llama-v3", llama3, {true, true}},
    {"llama-bpe", llama3, {true, true}},
    {"falcon3", llama3, {true, true}},
    {"falcon-h1", llama3, {true, true}},
    {"pixtral", llama3, {true, true}},
    {"midm-2.0", llama3, {true, true}},
    {"lfm2", llama3, {true, true}},
    {"smaug-bpe", llama3},
    {"dbrx", llama3},
    {"chatglm-bpe", llama3},
    {"glm4", llama3, {true, false}},
    {"glm5", llama3, {true, false}},
    {"minicpm5", miniCpm, {true, false}},
    {"qwen2", qwen2},
    {"deepseek-r1-qwen", qwen2},
    {"stablelm2", qwen2},
    {"megrez", qwen2},
    {"kormo", qwen2},
    {"hunyuan", qwen2},
    {"solar-open", qwen2},
    {"grok-2", qwen2},
    // Theirs is written differently and finds the same words.
    {"bailingmoe", qwen2},
    {"bailingmoe2", qwen2},
    {"llada-moe", qwen2},
    {"qwen35", qwen35},
    {"seed-coder", seedCoder},
    {"tekken", tekken, {true, true}},
    {"gpt-4o", gpt4o},
    {"llama4", gpt4o},
    {"kanana2", gpt4o},
    {"minimax-m2", gpt4o},
    {"falcon", falcon},
    {"deepseek-llm", deepSeekLlm},
    {"deepseek-coder", deepSeekCoder},
    {"deepseek-v3", deepSeek3},
    {"hunyuan-dense", deepSeek3},
    {"joyai-llm", deepSeek3},
    {"bloom", bloom},
    {"poro-chat", bloom},
    {"gpt3-finnish", bloom},
    {"viking", viking},
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

static const Scheme *find(std::string_view name) {
  for (const Scheme &scheme : schemes)
    if (scheme.name == name)
      return &scheme;
  return nullptr;
}

std::optional<PreTokenizer::Customs>
PreTokenizer::customsOf(std::string_view name) {
  const Scheme *scheme = find(name);
  return scheme ? std::optional(scheme->customs) : std::nullopt;
}

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
  const Scheme *scheme = find(name);
  if (!scheme)
    return Error{"pre-tokenizer: " + quoted(name) + ", expected one of " +
                 names() + "; use token ids in place of text"};

  PreTokenizer result;
  result.patterns = std::make_unique<Patterns>();
  Patterns &patterns = *result.patterns;
  patterns.context.reset(pcre2_match_context_create(nullptr));
  // One pair of offsets: nothing but the whole match is looked at.
  patterns.data.reset(pcre2_match_data_create(1, nullptr));
  if (!patterns.context || !patterns.data)
    return pcreError("pre-tokenizer", PCRE2_ERROR_NOMEMORY);
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
      return pcreError("pre-tokenizer", error);
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
