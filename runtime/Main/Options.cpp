//===- Options.cpp - the table of flags and its parser --------------------===//
//
// See Options.h. To add a flag, add a row to kFlags.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Options.h"

#include "runtime/Templates/NamedTemplates.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

namespace corellama::runtime {

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Parses all of `text` as a number inside the bounds.
template <typename T>
static bool parseNumber(std::string_view text, std::type_identity_t<T> lowest,
                        std::type_identity_t<T> highest, T &value) {
  T parsed;
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc() || end != text.data() + text.size())
    return false;
  // Written so that NaN is refused.
  if (!(parsed >= lowest && parsed <= highest))
    return false;
  value = parsed;
  return true;
}

template <typename T>
static bool parseNumber(std::string_view text, std::type_identity_t<T> lowest,
                        std::type_identity_t<T> highest,
                        std::optional<T> &value) {
  return parseNumber(text, lowest, highest, value.emplace());
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {
struct Flag {
  const char *name;
  /// Another spelling, or null.
  const char *alias;
  /// The placeholder of the value in the help; null where there is none.
  const char *value;
  const char *help;
  /// A description of a valid value, for the message about an invalid one.
  const char *expected;
  bool (*apply)(std::string_view value, Options &options);
  /// Given twice, one would be lost without a word.
  bool isPrompt = false;
  /// The only programs that have it.
  std::optional<Machine> of = std::nullopt;
};
} // namespace

static constexpr uint64_t kMaxTokens = std::numeric_limits<int32_t>::max();
/// Far above the GPUs of any machine.
static constexpr uint32_t kMaxDevices = 1023;

/// The ways to apply a flag to a member of Options or of its `sampling`.
template <auto Member> static auto &memberOf(Options &options) {
  if constexpr (requires { options.*Member; })
    return options.*Member;
  else
    return options.sampling.*Member;
}
template <auto Member> static bool turnOn(std::string_view, Options &options) {
  return memberOf<Member>(options) = true;
}
template <auto Member>
static bool takeName(std::string_view value, Options &options) {
  memberOf<Member>(options) = value;
  return !value.empty();
}
template <auto Member, auto Lowest, auto Highest>
static bool takeNumber(std::string_view value, Options &options) {
  return parseNumber(value, Lowest, Highest, memberOf<Member>(options));
}

static const Flag kFlags[] = {
    {"-p", "--prompt", "TEXT", "the prompt, as raw text", "",
     [](std::string_view value, Options &options) {
       options.prompt = value;
       return true;
     },
     true},
    {"-f", "--file", "FILE", "read the prompt from FILE; - is standard input",
     "a file's name", takeName<&Options::promptFile>, true},
    {"--prompt-ids", nullptr, "1,2,3", "the prompt as token ids, as they are",
     "token ids separated by commas, for example 1,2,3",
     [](std::string_view value, Options &options) {
       return !parseIds(value).moveTo(options.promptIds.emplace()) &&
              !options.promptIds->empty();
     },
     true},
    {"--chat", nullptr, nullptr,
     "wrap the text as one turn in the model's chat format; without a text, "
     "talk turn after turn",
     "", turnOn<&Options::chat>},
    {"--system", nullptr, "TEXT",
     "with --chat: the system message in front of it", "one system message",
     [](std::string_view value, Options &options) {
       bool isFirst = !options.system;
       options.system = value;
       return isFirst;
     }},
    {"--chat-template", nullptr, "NAME",
     "in a chat: a known format in place of the checkpoint's: chatml, llama2, "
     "llama3, zephyr or mistral",
     "a format's name", takeName<&Options::chatTemplate>},
    {"--chat-template-file", nullptr, "FILE",
     "in a chat: a Jinja template in place of the checkpoint's",
     "a file's name", takeName<&Options::chatTemplateFile>},
    {"--template-kwargs", nullptr, "JSON",
     "in a chat: variables for the template, such as {\"enable_thinking\": "
     "false}",
     "an object of JSON", takeName<&Options::templateVariables>},
    {"--refuse-markers", nullptr, nullptr,
     "in a chat: refuse a message that has a marker of the template that is "
     "plain text, such as [INST]",
     "", turnOn<&Options::refuseMarkers>},
    {"--parse-special", nullptr, nullptr,
     "recognise control tokens in the text of -p and -f, which you trust", "",
     turnOn<&Options::parseSpecial>},
    {"-n", nullptr, "N",
     "generate N tokens at most (default: until the model ends its answer or "
     "the context is full)",
     "a number of tokens, 0 or more",
     takeNumber<&Options::count, 0, kMaxTokens>},
    {"-c", nullptr, "CTX",
     "tokens to keep room for (default and most: the model's context)",
     "a number of tokens, 1 or more",
     takeNumber<&Options::context, 1, kMaxTokens>},
    {"-b", nullptr, "N",
     "process the prompt N tokens at a time (default and most: what the "
     "program was compiled for)",
     "a number of tokens, 1 or more",
     takeNumber<&Options::batch, 1, kMaxTokens>},
    {"-t", nullptr, "N", "threads (default: the CPUs this process may use)",
     "a number of threads, 1 or more",
     takeNumber<&Options::threads, 1, kMaxTokens>, false, Machine::cpu},
    {"--device", nullptr, "N",
     "run on GPU number N (default: the first that can run the program)",
     "a number of --list-devices", takeNumber<&Options::device, 0, kMaxDevices>,
     false, Machine::gpu},
    {"--list-devices", nullptr, nullptr,
     "list the GPUs of this machine and end", "", turnOn<&Options::listDevices>,
     false, Machine::gpu},
    {"--plan", nullptr, nullptr,
     "print what memory and which kernels a token takes, and end; needs no GPU",
     "", turnOn<&Options::plan>, false, Machine::gpu},
    {"--bandwidth", nullptr, "GB/S",
     "with --plan: what the GPU's memory reads (default 3350, an H100's data "
     "sheet)",
     "a number from 1 to 1000000", takeNumber<&Options::bandwidth, 1, 1e6>,
     false, Machine::gpu},
    {"-s", "--seed", "SEED",
     "seed of the sampling; the same seed gives the same text (default: "
     "random)",
     "a whole number, 0 or more",
     takeNumber<&Options::seed, 0, std::numeric_limits<uint64_t>::max()>},
    {"--temp", nullptr, "T", "temperature; 0 takes the likeliest (default 0.8)",
     "a number, 0 or more",
     takeNumber<&SamplerSettings::temperature, 0,
                std::numeric_limits<double>::max()>},
    {"--top-k", nullptr, "K",
     "sample from the K likeliest; 0: all (default 40)",
     "a whole number, 0 or more",
     takeNumber<&SamplerSettings::topK, 0, kMaxTokens>},
    {"--top-p", nullptr, "P",
     "sample from the likeliest that together reach P; 1: all (default 0.95)",
     "a number from 0 to 1", takeNumber<&SamplerSettings::topP, 0, 1>},
    {"--min-p", nullptr, "P",
     "sample from those at least P times as likely as the likeliest; 0: all "
     "(default 0.05)",
     "a number from 0 to 1", takeNumber<&SamplerSettings::minP, 0, 1>},
    {"--repeat-penalty", nullptr, "R",
     "divide the logits of recent tokens by R; 1: off (default 1)",
     "a number above 0",
     [](std::string_view value, Options &options) {
       return parseNumber(value, 0, 1000, options.sampling.repeat) &&
              options.sampling.repeat > 0;
     }},
    {"--frequency-penalty", nullptr, "F",
     "subtract F from a recent token's logit for each time it came (default 0)",
     "a number from -100 to 100",
     takeNumber<&SamplerSettings::frequency, -100, 100>},
    {"--presence-penalty", nullptr, "F",
     "subtract F from a recent token's logit once (default 0)",
     "a number from -100 to 100",
     takeNumber<&SamplerSettings::presence, -100, 100>},
    {"--repeat-last-n", nullptr, "N",
     "tokens that are recent, those of the prompt too; -1: all (default 64)",
     "a whole number, -1 or more",
     takeNumber<&SamplerSettings::repeatLast, -1, kMaxTokens>},
    {"--logit-bias", "-l", "ID+B",
     "add B to the logit of token ID, which may be ID-B or ID-inf as well; may "
     "be given several times",
     "a token id and what to add to its logit, for example 15043+1 or "
     "15043-inf",
     [](std::string_view value, Options &options) {
       const size_t sign = value.find_first_of("+-");
       std::string_view number = value.substr(std::min(sign, value.size()));
       if (number.starts_with('+'))
         number.remove_prefix(1);
       if (number.starts_with('-') && value[sign] == '+')
         return false;
       constexpr double kMost = std::numeric_limits<double>::infinity();
       int32_t id;
       double bias;
       if (!parseNumber(value.substr(0, sign), 0,
                        std::numeric_limits<int32_t>::max(), id) ||
           !parseNumber(number, -kMost, kMost, bias))
         return false;
       options.sampling.bias.emplace_back(id, float(bias));
       return true;
     }},
    {"--stop", nullptr, "TEXT",
     "end the answer before TEXT; may be given several times", "some text",
     [](std::string_view value, Options &options) {
       options.stops.emplace_back(value);
       return !value.empty();
     }},
    {"--grammar", nullptr, "FILE",
     "answer as the grammar in FILE says, in llama.cpp's GBNF", "a file's name",
     takeName<&Options::grammar>},
    {"--json-schema", nullptr, "FILE",
     "answer with JSON that is valid under the JSON schema in FILE",
     "a file's name", takeName<&Options::jsonSchema>},
    {"--draft", nullptr, "ngram|none",
     "check several guessed tokens at once: ngram guesses what followed the "
     "same tokens before; the text is the same, sooner (default none)",
     "ngram or none",
     [](std::string_view value, Options &options) {
       options.drafts = value == "ngram" ? Drafts::ngram : Drafts::none;
       return value == "ngram" || value == "none";
     }},
    {"--context-full", nullptr, "stop|drop-oldest",
     "in a conversation, what a full context means: the answer ends, or the "
     "oldest turns are dropped (default stop)",
     "stop or drop-oldest",
     [](std::string_view value, Options &options) {
       options.dropsOldest = value == "drop-oldest";
       return value == "drop-oldest" || value == "stop";
     }},
    {"--ignore-eos", nullptr, nullptr,
     "go on where the model would end its answer; with a grammar, until "
     "nothing else can follow",
     "", turnOn<&Options::ignoreEnd>},
    {"--output-ids", nullptr, nullptr,
     "print the generated token ids, separated by commas, instead of text", "",
     turnOn<&Options::outputIds>},
    {"--logprobs", nullptr, "N",
     "print a line of JSON for each generated token instead of text: its "
     "logarithmic probability, and those of the N likeliest",
     "a number of tokens, 0 to 1000", takeNumber<&Options::logprobs, 0, 1000>},
    {"--logits-out", nullptr, "FILE.npy",
     "write the logits after each token but the last, float32, to FILE.npy",
     "a file's name", takeName<&Options::logitsOut>},
    {"--bench", nullptr, nullptr,
     "measure what standard input asks for; `corellama bench PROGRAM` does, of "
     "a program for a CPU",
     "", turnOn<&Options::bench>},
    {"--score", nullptr, nullptr,
     "give the ids and logits that standard input asks for; `corellama "
     "perplexity PROGRAM` asks",
     "", turnOn<&Options::score>},
    {"--target", nullptr, "NAME",
     "run the code for this target, if the program has that of several "
     "(default: the first of --version that this CPU can run)",
     "a target's name", takeName<&Options::target>, false, Machine::cpu},
    {"-v", "--verbose", nullptr, "end with a line of times on standard error",
     "", turnOn<&Options::verbose>},
    {"--version", nullptr, nullptr, "print the version and end", "",
     turnOn<&Options::version>},
    {"--help", "-h", nullptr, "print this and end", "", turnOn<&Options::help>},
};

//===----------------------------------------------------------------------===//
// The parser
//===----------------------------------------------------------------------===//

static bool has(Machine machine, const Flag &flag) {
  return !flag.of || *flag.of == machine;
}

static const Flag *findFlag(std::string_view name) {
  for (const Flag &flag : kFlags)
    if (name == flag.name || (flag.alias && name == flag.alias))
      return &flag;
  return nullptr;
}

/// The edit distance: characters to insert, delete or replace.
static size_t editDistance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  for (size_t i = 0; i <= to.size(); ++i)
    row[i] = i;
  for (size_t i = 1; i <= from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t k = 1; k <= to.size(); ++k) {
      size_t replaced = diagonal + (from[i - 1] != to[k - 1]);
      diagonal = row[k];
      row[k] = std::min({replaced, row[k] + 1, row[k - 1] + 1});
    }
  }
  return row.back();
}

static Error unknownFlag(std::string_view name, Machine machine) {
  // A longer name resembles no flag, and comparing it takes time.
  name = name.substr(0, 64);
  std::string message = "unknown option '" + std::string(name) + "'; ";
  // At most two edits: with more, any short name resembles any other.
  size_t nearestDistance = 3;
  const char *nearest = nullptr;
  for (const Flag &flag : kFlags)
    for (const char *spelling : {flag.name, flag.alias}) {
      if (!has(machine, flag) || !spelling || strlen(spelling) <= 2)
        continue;
      size_t distance = editDistance(name, spelling);
      if (distance < nearestDistance) {
        nearestDistance = distance;
        nearest = spelling;
      }
    }
  if (nearest)
    return Error{message + "did you mean " + nearest + "?"};
  return Error{message + "--help lists them all"};
}

/// How many kinds of prompt were given.
static int promptsOf(const Options &options) {
  return options.prompt.has_value() + options.promptFile.has_value() +
         options.promptIds.has_value();
}

/// The flag of -n8, whose value is what follows.
static const Flag *findJoined(std::string_view argument) {
  if (argument.starts_with("--") || argument.size() < 3)
    return nullptr;
  const Flag *flag = findFlag(argument.substr(0, 2));
  return flag && flag->value ? flag : nullptr;
}

Result<Options> parseOptions(std::span<char *const> arguments,
                             Machine machine) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument.size() < 2 || argument[0] != '-')
      return Error{"unexpected argument '" + std::string(argument) +
                   "'; give a prompt as -p TEXT"};
    // --flag=value
    std::optional<std::string_view> value;
    std::string_view name = argument;
    if (size_t equals = argument.find('=');
        equals != argument.npos && argument.starts_with("--")) {
      name = argument.substr(0, equals);
      value = argument.substr(equals + 1);
    }
    const Flag *flag = findFlag(name);
    if (const Flag *joined = flag ? nullptr : findJoined(argument)) {
      flag = joined;
      name = argument.substr(0, 2);
      value = argument.substr(2);
    }
    if (!flag)
      return unknownFlag(name, machine);
    if (!has(machine, *flag))
      return Error{std::string(name) + " is of programs for a " +
                   (machine == Machine::gpu ? "CPU" : "GPU") +
                   ", and this one is not; leave it out"};
    if (!flag->value && value)
      return Error{std::string(name) +
                   " takes no value; leave out '=" + std::string(*value) + "'"};
    if (flag->value && !value) {
      if (i + 1 == arguments.size())
        return Error{std::string(name) + " needs a value; give " +
                     std::string(name) + " " + flag->value};
      value = arguments[++i];
    }
    const int prompts = promptsOf(options);
    if (!flag->apply(value.value_or(""), options))
      return Error{std::string(name) + ": is '" + std::string(*value) +
                   "', expected " + flag->expected};
    if (flag->isPrompt && promptsOf(options) == prompts)
      return Error{std::string(name) + " is given twice; keep one of them"};
    if (options.help || options.version)
      break;
  }
  return options;
}

bool isConversation(const Options &options, bool inputIsTerminal) {
  return promptsOf(options) == 0 && !options.bench && !options.score &&
         (options.chat || inputIsTerminal);
}

/// The flags that say what a text means: of chats, or of raw text.
static std::optional<Error> checkTextOptions(const Options &options,
                                             bool isChat) {
  const std::pair<const char *, bool> given[] = {
      {"--chat-template", options.chatTemplate.has_value()},
      {"--chat-template-file", options.chatTemplateFile.has_value()},
      {"--template-kwargs", options.templateVariables.has_value()},
      {"--refuse-markers", options.refuseMarkers}};
  for (const auto &[name, isGiven] : given)
    if (isGiven && !isChat)
      return Error{std::string(name) + " is about chats; give --chat, too"};
  if (options.chatTemplate)
    if (auto error = templates::checkTemplateName(*options.chatTemplate))
      return error;
  if (options.chatTemplate && options.chatTemplateFile)
    return Error{"--chat-template and --chat-template-file are two templates; "
                 "give one of them"};
  if (options.parseSpecial && isChat)
    return Error{"--parse-special is for raw text; in a chat the template "
                 "alone writes control tokens"};
  if (options.parseSpecial && options.promptIds)
    return Error{"--parse-special is for text, and --prompt-ids has none; "
                 "leave it out"};
  return std::nullopt;
}

std::optional<Error> checkPromptOptions(const Options &options,
                                        bool inConversation,
                                        const char *programName) {
  const int prompts = promptsOf(options);
  if (options.bandwidth && !options.plan)
    return Error{"--bandwidth is what --plan reckons with; give that, too"};
  // These end the program before there is a prompt.
  if (options.listDevices || options.plan) {
    const std::string name = options.listDevices ? "--list-devices" : "--plan";
    if (options.listDevices && options.plan)
      return Error{name + " and --plan are two questions; give one of them"};
    if (prompts != 0 || options.chat || options.bench || options.score ||
        options.device)
      return Error{name + " ends the program before it runs; leave out " +
                   (options.bench   ? "--bench"
                    : options.score ? "--score"
                    : options.chat  ? "--chat"
                    : prompts != 0  ? "the prompt"
                                    : "--device")};
    return std::nullopt;
  }
  if (options.bench && options.score)
    return Error{"--bench and --score are two conversations; give one of them"};
  if (options.grammar && options.jsonSchema)
    return Error{"--grammar and --json-schema both say what the answer looks "
                 "like; give one of them"};
  if ((options.bench || options.score) &&
      (options.grammar || options.jsonSchema))
    return Error{std::string(options.grammar ? "--grammar" : "--json-schema") +
                 " is for answers, which " +
                 (options.bench ? "--bench" : "--score") +
                 " does not give; leave it out"};
  if (options.bench || options.score)
    return prompts == 0
               ? std::nullopt
               : std::optional<Error>{
                     {std::string(options.bench ? "--bench" : "--score") +
                      " takes no prompt; leave it out"}};
  if (options.outputIds && options.logprobs)
    return Error{"--output-ids and --logprobs both say what is printed for a "
                 "token; give one of them"};
  if (inConversation)
    return checkTextOptions(options, /*isChat=*/true);
  if (prompts == 0)
    return Error{std::string("no prompt was given; try ") + programName +
                 " --chat -p \"Why is the sky blue?\""};
  if (prompts > 1)
    return Error{"more than one prompt was given; keep one of -p, -f and "
                 "--prompt-ids"};
  if (options.chat && options.promptIds)
    return Error{"--chat wraps text, --prompt-ids are taken as they are; give "
                 "the text by -p or -f"};
  if (options.system && !options.chat)
    return Error{"--system is a message of a chat; give --chat, too"};
  if (options.dropsOldest)
    return Error{"--context-full=drop-oldest is for conversations, which have "
                 "turns to drop; leave it out, or give --chat without a "
                 "prompt"};
  return checkTextOptions(options, options.chat);
}

//===----------------------------------------------------------------------===//
// Help
//===----------------------------------------------------------------------===//

/// Appends the words of `text`, breaking lines after column 79; the first line
/// has `column` characters, the others start at `indent`.
static void appendWrapped(std::string &out, std::string_view text,
                          size_t column, size_t indent) {
  bool first = true;
  while (!text.empty()) {
    size_t end = std::min(text.find(' '), text.size());
    if (!first && column + 1 + end > 79) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
    first = false;
  }
  out += '\n';
}

std::string helpText(const char *programName, Machine machine) {
  std::string text = std::string("usage: ") + programName +
                     " -p TEXT | -f FILE | --prompt-ids 1,2,3 [options]\n"
                     "       " +
                     programName +
                     " [--chat] [options]\n\n"
                     "Continues a prompt with the model it was compiled from, "
                     "or talks turn\nafter turn. Text goes to standard "
                     "output, all else to standard error.\n\n";
  constexpr size_t kColumn = 25;
  for (const Flag &flag : kFlags) {
    if (!has(machine, flag))
      continue;
    std::string left = std::string("  ") + flag.name;
    if (flag.alias)
      left += std::string(", ") + flag.alias;
    if (flag.value)
      left += std::string(" ") + flag.value;
    left.append(left.size() < kColumn - 1 ? kColumn - left.size() : 2, ' ');
    text += left;
    appendWrapped(text, flag.help, left.size(), kColumn);
  }
  return text;
}

const char *baseName(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

} // namespace corellama::runtime
