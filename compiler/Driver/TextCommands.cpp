//===- TextCommands.cpp - the options of tokenize, detokenize and render --===//
//
// See Subcommands.h. The commands that turn text into ids, and conversations
// into text, without running a model.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/OptionChecks.h"
#include "compiler/Driver/Subcommands.h"
#include "compiler/Text/CheckpointText.h"
#include "llvm/ADT/StringExtras.h"
#include <chrono>

using namespace corellama;
using llvm::StringRef;

static constexpr const char *kTokenizeExamples = R"(examples:
  corellama tokenize model.gguf -p "Once upon a time"
  corellama tokenize model -f story.txt --json       # pieces and their places
  ./model --prompt-ids $(corellama tokenize model -p Hi)      # as ./model -p Hi

FILE is a checkpoint, which may be a vocabulary alone, a SentencePiece model
(tokenizer.model) or a program. Places are bytes of the text; what stands for
none of them, such as BOS, has an empty one.
)";

static constexpr const char *kDetokenizeExamples = R"(examples:
  corellama detokenize model.gguf --ids 1,9038,2501
  corellama tokenize model -f story.txt | corellama detokenize model -f -

Prints the bytes and no newline. The ids are those of a whole text: the space
that SentencePiece adds in front of it is left out.
)";

static constexpr const char *kRenderExamples = R"(examples:
  corellama render model.gguf --messages chat.json
  corellama render --template chat.jinja --messages - < chat.json
  corellama render --chat-template llama2 --messages chat.json
  corellama render model --messages chat.json \
    --template-kwargs '{"enable_thinking": false}'

where chat.json is a list of messages, or an object with messages and tools:
  [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hi"}]

Prints what the template writes and no newline.
)";

/// Takes a value that may be empty or missing, and the two apart.
static CLI::Option *addText(CLI::App &command, const char *name,
                            std::optional<std::string> &value,
                            const char *help) {
  return command
      .add_option_function<std::string>(
          name, [&value](const std::string &text) { value = text; }, help)
      ->type_name("TEXT");
}

Subcommand corellama::addTokenize(CLI::App &tool) {
  auto options = std::make_shared<text::TokenizeOptions>();
  CLI::App &c = *tool.add_subcommand("tokenize", "the token ids of a text");
  c.footer(kTokenizeExamples);
  c.add_option("FILE", options->file,
               "a checkpoint, a program or a tokenizer.model")
      ->required();
  CLI::Option *text = addText(c, "-p,--prompt", options->text, "the text");
  CLI::Option *file =
      c.add_option(
           "-f,--file", options->textFile,
           "read the text from FILE, byte for byte; - is standard input")
          ->type_name("FILE")
          ->excludes(text);
  bool &frame = options->frame;
  c.add_flag_callback(
      "--no-bos", [&frame] { frame = false; },
      "without the BOS and EOS that the model's texts begin and end with");
  c.add_flag("--parse-special", options->parseSpecial,
             "recognise control tokens, such as <s>, in the text");
  c.add_flag("--json", options->json,
             "an array of objects: id, piece, and begin and end in the text");
  return {&c, [options, text, file](Arguments::Command &command) {
            command = *options;
            return text->count() || file->count()
                       ? ""
                       : "no text; give it by -p TEXT or -f FILE";
          }};
}

Subcommand corellama::addDetokenize(CLI::App &tool) {
  auto options = std::make_shared<text::DetokenizeOptions>();
  CLI::App &c = *tool.add_subcommand("detokenize", "the text of token ids");
  c.footer(kDetokenizeExamples);
  c.add_option("FILE", options->file,
               "a checkpoint, a program or a tokenizer.model")
      ->required();
  CLI::Option *ids = addText(c, "--ids", options->ids,
                             "the ids, separated by commas or white space")
                         ->type_name("1,2,3");
  CLI::Option *file =
      c.add_option("-f,--file", options->idsFile,
                   "read the ids from FILE; - is standard input")
          ->type_name("FILE")
          ->excludes(ids);
  c.add_flag("--special", options->special,
             "print control tokens, too, as the vocabulary spells them");
  return {&c, [options, ids, file](Arguments::Command &command) {
            command = *options;
            return ids->count() || file->count()
                       ? ""
                       : "no ids; give them by --ids 1,2,3 or -f FILE";
          }};
}

/// Noon of a day as YYYY-MM-DD, or nothing.
static std::optional<std::tm> parseDate(StringRef text) {
  int year;
  unsigned month, day;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' ||
      !llvm::all_of(text.substr(0, 4), llvm::isDigit) ||
      text.substr(0, 4).getAsInteger(10, year) ||
      text.substr(5, 2).getAsInteger(10, month) ||
      text.substr(8, 2).getAsInteger(10, day))
    return std::nullopt;
  using namespace std::chrono;
  const year_month_day date = std::chrono::year(year) /
                              std::chrono::month(month) / std::chrono::day(day);
  if (!date.ok())
    return std::nullopt;
  std::tm time = {};
  time.tm_year = year - 1900;
  time.tm_mon = int(month) - 1;
  time.tm_mday = int(day);
  time.tm_hour = 12;
  time.tm_wday = int(weekday(sys_days(date)).c_encoding());
  time.tm_yday = int((sys_days(date) - sys_days(date.year() / 1 / 1)).count());
  time.tm_isdst = -1;
  return time;
}

Subcommand corellama::addRender(CLI::App &tool) {
  auto options = std::make_shared<text::RenderOptions>();
  CLI::App &c = *tool.add_subcommand(
      "render", "what a chat template makes of a conversation");
  c.footer(kRenderExamples);
  c.add_option("FILE", options->file,
               "a checkpoint or a program, for its template, BOS and EOS");
  c.add_option("--messages", options->messagesFile,
               "the conversation, as JSON; - is standard input")
      ->required()
      ->type_name("FILE");
  CLI::Option *file =
      c.add_option("--template", options->templateFile,
                   "a file with a Jinja template, in place of FILE's")
          ->type_name("FILE");
  isOneOf(c.add_option("--chat-template", options->templateName,
                       "a template by name, in place of FILE's"),
          templateNames())
      ->excludes(file);
  bool &prompt = options->generationPrompt;
  c.add_flag_callback(
      "--no-generation-prompt", [&prompt] { prompt = false; },
      "do not begin the assistant's next message");
  addText(c, "--template-kwargs", options->variables,
          "more variables of the template, as an object of JSON")
      ->type_name("JSON");
  std::optional<std::tm> &date = options->date;
  c.add_option_function<std::string>(
       "--date", [&date](const std::string &text) { date = parseDate(text); },
       "the day that strftime_now formats, at noon (default: now)")
      ->type_name("YYYY-MM-DD")
      ->check([](const std::string &text) {
        return parseDate(text) ? std::string()
                               : "'" + text + "' is no day as 2026-07-04";
      });
  addText(c, "--bos", options->bos, "BOS (default: FILE's, or else <s>)");
  addText(c, "--eos", options->eos, "EOS (default: FILE's, or else </s>)");
  return {&c, [options](Arguments::Command &command) {
            command = *options;
            return options->file.empty() && options->templateFile.empty() &&
                           options->templateName.empty()
                       ? "no template; give a checkpoint, a program, "
                         "--template FILE or --chat-template NAME"
                       : "";
          }};
}
