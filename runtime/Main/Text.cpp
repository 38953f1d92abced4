//===- Text.cpp - between the user's text and the model's ids -------------===//
//
// See Text.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Text.h"

#include "runtime/Main/Signals.h"
#include "runtime/Templates/Chat.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace corellama::runtime {

Result<Text> Text::create(const MappedImage &image) {
  auto data = TextData::parse(image.text);
  if (!data)
    return Error{data.error()};
  std::vector<int32_t> ends = data->ends;
  return Text(std::move(ends), Tokenizer::create(std::move(*data)));
}

/// All bytes of a file; "-" is standard input.
static Result<std::string> readPromptFile(const std::string &path) {
  const bool isInput = path == "-";
  const std::string place = isInput ? "standard input" : path;
  int file = isInput ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  ssize_t count = file < 0 ? -1 : 0;
  if (file >= 0) {
    constexpr size_t kStep = 64 << 10;
    size_t used = 0;
    do {
      text.resize(used + kStep);
      count = read(file, text.data() + used, kStep);
      if (count > 0)
        used += size_t(count);
    } while ((count > 0 && used <= kMaxTextBytes) ||
             (count < 0 && errno == EINTR && !pendingSignal()));
    text.resize(used);
  }
  const int failure = errno;
  if (file >= 0 && !isInput)
    close(file);
  if (count < 0)
    return Error{place + ": cannot be read: " + strerror(failure) +
                 "; give a file with the prompt's text"};
  if (text.size() > kMaxTextBytes)
    return Error{place + ": has more than " + std::to_string(kMaxTextBytes) +
                 " bytes; give a shorter prompt"};
  return text;
}

Result<Prompt> Text::textIds(std::string_view text) {
  Prompt prompt;
  if (auto error = tokenizer->encodeWithBos(text, prompt.ids)
                       .moveTo(prompt.bytesLeftOut))
    return *error;
  return prompt;
}

Result<Prompt> Text::promptIds(const Options &options) {
  if (options.promptIds)
    return Prompt{*options.promptIds};
  if (!tokenizer)
    return Error{"this program can read no text: " + tokenizer.error() +
                 "; give --prompt-ids and --output-ids"};
  std::string text;
  if (options.prompt)
    text = *options.prompt;
  else if (auto error = readPromptFile(*options.promptFile).moveTo(text))
    return *error;
  if (!options.chat)
    return textIds(text);

  auto format = ChatFormat::create(*tokenizer);
  if (!format)
    return Error{"--chat: " + format.error()};
  std::vector<Message> messages;
  if (options.system)
    messages.push_back({"system", *options.system});
  messages.push_back({"user", std::move(text)});
  auto turn = format->encode(messages, *tokenizer);
  if (!turn)
    return Error{"--chat: " + turn.error()};
  return Prompt{std::move(turn->ids), turn->lostBytes, turn->hasPlainMarkers};
}

bool Text::endsAnswer(int32_t id) const {
  return std::binary_search(ends.begin(), ends.end(), id);
}

} // namespace corellama::runtime
