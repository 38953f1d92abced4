//===- corellama-tokenize.cpp - the runtime's tokenizer on its own --------===//
//
// A developer's tool: runs the tokenizer of compiled programs on a GGUF file or
// a tokenizer.model without compiling it. test/e2e/test_tokens.py compares it
// with another implementation; nothing is installed.
//
//   corellama-tokenize MODEL.gguf --encode    NUL-terminated texts on stdin; a
//                                             line `LOST ID ID ...` for each
//   corellama-tokenize MODEL.gguf --special   the same, control tokens too
//   corellama-tokenize MODEL.gguf --chat      the same, each as one user turn
//   corellama-tokenize MODEL.gguf --decode    a line of ids a text on stdin;
//                                             NUL-terminated texts on stdout
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Chat.h"
#include "runtime/Templates/TokenizedText.h"
#include "runtime/Tokenizer/Tokenizer.h"
#include "test/runtime/Tokenizer/ModelFile.h"

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

using namespace corellama::runtime;

static int fail(const std::string &message) {
  std::fprintf(stderr, "corellama-tokenize: %s\n", message.c_str());
  return 1;
}

static std::string readAll(std::FILE *file) {
  std::string bytes;
  char buffer[1 << 16];
  while (size_t count = std::fread(buffer, 1, sizeof(buffer), file))
    bytes.append(buffer, count);
  return bytes;
}

/// Calls `use` on each piece of `input` that ends in `terminator`.
template <typename Use>
static void forEach(std::string_view input, char terminator, Use use) {
  while (!input.empty()) {
    size_t end = input.find(terminator);
    use(input.substr(0, end));
    input.remove_prefix(end == input.npos ? input.size() : end + 1);
  }
}

static std::string encode(std::string_view text, Tokenizer &tokenizer,
                          const ChatFormat *chat, bool parseSpecial) {
  std::vector<int32_t> ids;
  size_t lost = 0;
  if (chat) {
    auto rendered = chat->render({{"user", std::string(text)}});
    if (!rendered)
      return "error " + rendered.error() + "\n";
    TokenizedText turn;
    auto change = turn.become(std::move(*rendered), tokenizer);
    if (!change)
      return "error " + change.error() + "\n";
    ids = turn.ids();
    lost = change->lostBytes;
  } else {
    Result<size_t> result =
        tokenizer.encode(text, ids, {.parseSpecial = parseSpecial});
    if (!result)
      return "error " + result.error() + "\n";
    lost = *result;
  }
  std::string line = std::to_string(lost);
  for (int32_t id : ids)
    line.append(" ").append(std::to_string(id));
  return line + "\n";
}

static std::string decode(std::string_view line, const Tokenizer &tokenizer) {
  std::string text;
  forEach(line, ' ', [&](std::string_view word) {
    int32_t id = -1;
    std::from_chars(word.data(), word.data() + word.size(), id);
    tokenizer.decode(id, text);
  });
  return text.append(1, '\0');
}

int main(int argc, char **argv) {
  std::string_view mode = argc == 3 ? argv[2] : "";
  if (mode != "--encode" && mode != "--special" && mode != "--chat" &&
      mode != "--decode")
    return fail("usage: corellama-tokenize MODEL.gguf "
                "--encode|--special|--chat|--decode");
  ModelFile file;
  Result<Tokenizer> tokenizer = file.readTokenizer(argv[1]);
  if (!tokenizer)
    return fail(tokenizer.error());
  std::optional<ChatFormat> chat;
  if (mode == "--chat") {
    Result<ChatFormat> format = ChatFormat::create(*tokenizer);
    if (!format)
      return fail(std::string(argv[1]) + ": " + format.error());
    chat = std::move(*format);
  }

  std::string output;
  std::string input = readAll(stdin);
  if (mode == "--decode")
    forEach(input, '\n',
            [&](std::string_view line) { output += decode(line, *tokenizer); });
  else
    forEach(input, '\0', [&](std::string_view text) {
      output += encode(text, *tokenizer, chat ? &*chat : nullptr,
                       mode == "--special");
    });
  std::fwrite(output.data(), 1, output.size(), stdout);
  return 0;
}
