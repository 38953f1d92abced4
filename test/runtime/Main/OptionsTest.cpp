//===- OptionsTest.cpp - command lines, good and bad ----------------------===//
//
// Tests runtime/Main/Options.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Options.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

using namespace corellama::runtime;

static Result<Options> parse(std::vector<std::string> arguments,
                             Machine machine = Machine::cpu) {
  std::vector<char *> pointers;
  for (std::string &argument : arguments)
    pointers.push_back(argument.data());
  return parseOptions(pointers, machine);
}

TEST(Options, Defaults) {
  auto options = parse({"-p", "Hi"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->prompt, "Hi");
  EXPECT_FALSE(options->promptFile || options->promptIds || options->count ||
               options->context || options->batch || options->threads ||
               options->seed || options->logitsOut);
  EXPECT_FALSE(options->chat || options->ignoreEnd || options->outputIds ||
               options->verbose || options->version || options->help);
  EXPECT_EQ(options->sampling.temperature, 0.8);
  EXPECT_EQ(options->sampling.topK, 40);
  EXPECT_EQ(options->sampling.topP, 0.95);
  EXPECT_EQ(options->sampling.minP, 0.05);
}

TEST(Options, AValueMayFollowAShortNameAtOnce) {
  auto options = parse({"-pHi there", "-n8", "-t2", "-c=12"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error(),
            "-c: is '=12', expected a number of tokens, 1 or more");
  options = parse({"-pHi there", "-n8", "-t2"});
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->prompt, "Hi there");
  EXPECT_EQ(options->count, 8u);
  EXPECT_EQ(options->threads, 2u);
  EXPECT_EQ(parse({"-v8"}).error(),
            "unknown option '-v8'; --help lists them all");
}

TEST(Options, APromptGivenTwiceIsAnError) {
  EXPECT_EQ(parse({"-p", "a", "--prompt", "b"}).error(),
            "--prompt is given twice; keep one of them");
  EXPECT_EQ(parse({"-f", "a", "-f", "b"}).error(),
            "-f is given twice; keep one of them");
  EXPECT_EQ(parse({"--prompt-ids=1", "--prompt-ids=2"}).error(),
            "--prompt-ids is given twice; keep one of them");
  EXPECT_EQ(parse({"-p", "a", "-n", "1", "-n", "2"})->count, 2u);
}

TEST(Options, AllOfThem) {
  auto options = parse({"-f",
                        "-",
                        "--chat",
                        "-n",
                        "10",
                        "-c",
                        "20",
                        "-b",
                        "3",
                        "-t",
                        "2",
                        "-s",
                        "18446744073709551615",
                        "--temp",
                        "0",
                        "--top-k",
                        "7",
                        "--top-p",
                        "0.5",
                        "--min-p",
                        "1e-3",
                        "--repeat-penalty",
                        "1.1",
                        "--frequency-penalty",
                        "-0.5",
                        "--presence-penalty",
                        "2",
                        "--repeat-last-n",
                        "-1",
                        "--stop",
                        "a",
                        "--stop",
                        "b c",
                        "--draft",
                        "ngram",
                        "--ignore-eos",
                        "--output-ids",
                        "--logits-out",
                        "x.npy",
                        "-v"});
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->promptFile, "-");
  EXPECT_TRUE(options->chat && options->ignoreEnd && options->outputIds &&
              options->verbose);
  EXPECT_EQ(options->sampling.repeat, 1.1);
  EXPECT_EQ(options->sampling.frequency, -0.5);
  EXPECT_EQ(options->sampling.presence, 2);
  EXPECT_EQ(options->sampling.repeatLast, -1);
  EXPECT_EQ(options->stops, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(options->count, 10u);
  EXPECT_EQ(options->context, 20u);
  EXPECT_EQ(options->batch, 3u);
  EXPECT_EQ(options->threads, 2u);
  EXPECT_EQ(options->seed, UINT64_MAX);
  EXPECT_EQ(options->sampling.temperature, 0);
  EXPECT_EQ(options->sampling.topK, 7);
  EXPECT_EQ(options->sampling.topP, 0.5);
  EXPECT_EQ(options->sampling.minP, 1e-3);
  EXPECT_EQ(options->drafts, Drafts::ngram);
  EXPECT_EQ(options->logitsOut, "x.npy");
}

TEST(Options, ValuesMayFollowAnEqualsSignOrLookLikeFlags) {
  auto options = parse({"--temp=0.5", "--seed=3", "-p", "--chat"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->sampling.temperature, 0.5);
  EXPECT_EQ(options->seed, 3u);
  EXPECT_EQ(options->prompt, "--chat");
  EXPECT_FALSE(options->chat);
}

TEST(Options, PromptIds) {
  for (const char *text : {"1,2,2147483647", " 1 2\n,2147483647 "}) {
    auto options = parse({"--prompt-ids", text});
    ASSERT_TRUE(options) << text;
    EXPECT_EQ(options->promptIds, (std::vector<int32_t>{1, 2, 2147483647}));
  }
}

TEST(Options, NothingAfterHelpIsLookedAt) {
  auto options = parse({"--help", "--nonsense"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->help);
}

TEST(Options, Errors) {
  const struct {
    std::vector<std::string> arguments;
    std::string message;
  } cases[] = {
      {{"--tmep", "1"}, "unknown option '--tmep'; did you mean --temp?"},
      {{"--top-l=4"}, "unknown option '--top-l'; did you mean --top-k?"},
      {{"--completely-else"},
       "unknown option '--completely-else'; --help lists them all"},
      {{"-x"}, "unknown option '-x'; --help lists them all"},
      {{"Hi"}, "unexpected argument 'Hi'; give a prompt as -p TEXT"},
      {{"-"}, "unexpected argument '-'; give a prompt as -p TEXT"},
      {{"-p"}, "-p needs a value; give -p TEXT"},
      {{"--chat=1"}, "--chat takes no value; leave out '=1'"},
      {{"-n", "12x"}, "-n: is '12x', expected a number of tokens, 0 or more"},
      {{"-n", ""}, "-n: is '', expected a number of tokens, 0 or more"},
      {{"-n", " 1"}, "-n: is ' 1', expected a number of tokens, 0 or more"},
      {{"-n", "-1"}, "-n: is '-1', expected a number of tokens, 0 or more"},
      {{"-n", "99999999999999999999"},
       "-n: is '99999999999999999999', expected a number of tokens, 0 or more"},
      {{"-c", "0"}, "-c: is '0', expected a number of tokens, 1 or more"},
      {{"-b", "0"}, "-b: is '0', expected a number of tokens, 1 or more"},
      {{"-t", "0"}, "-t: is '0', expected a number of threads, 1 or more"},
      {{"-s", "-1"}, "-s: is '-1', expected a whole number, 0 or more"},
      {{"--draft", "big"}, "--draft: is 'big', expected ngram or none"},
      {{"--temp", "nan"}, "--temp: is 'nan', expected a number, 0 or more"},
      {{"--temp", "inf"}, "--temp: is 'inf', expected a number, 0 or more"},
      {{"--temp", "-0.1"}, "--temp: is '-0.1', expected a number, 0 or more"},
      {{"--top-k", "1.5"},
       "--top-k: is '1.5', expected a whole number, 0 or more"},
      {{"--top-p", "1.01"},
       "--top-p: is '1.01', expected a number from 0 to 1"},
      {{"--min-p", "x"}, "--min-p: is 'x', expected a number from 0 to 1"},
      {{"--prompt-ids", "1,,2"},
       "--prompt-ids: is '1,,2', expected token ids separated by commas, for "
       "example 1,2,3"},
      {{"--prompt-ids", "2147483648"},
       "--prompt-ids: is '2147483648', expected token ids separated by commas, "
       "for example 1,2,3"},
      {{"--prompt-ids", ""},
       "--prompt-ids: is '', expected token ids separated by commas, for "
       "example 1,2,3"},
      {{"--logit-bias", "5+-3"},
       "--logit-bias: is '5+-3', expected a token id and what to add to its "
       "logit, for example 15043+1 or 15043-inf"},
      {{"--logits-out="}, "--logits-out: is '', expected a file's name"},
      {{"--grammar="}, "--grammar: is '', expected a file's name"},
  };
  for (const auto &[arguments, message] : cases) {
    auto options = parse(arguments);
    ASSERT_FALSE(options) << message;
    EXPECT_EQ(options.error(), message);
  }
}

/// What is wrong with options that are right one by one.
static std::string check(std::vector<std::string> arguments) {
  auto options = parse(std::move(arguments));
  EXPECT_TRUE(options);
  auto error =
      checkPromptOptions(*options, isConversation(*options, false), "model");
  return error ? error->message : "";
}

TEST(Options, OnePrompt) {
  EXPECT_EQ(check({"-p", ""}), "");
  EXPECT_EQ(check({"-p", "a", "--chat"}), "");
  EXPECT_EQ(check({}), "no prompt was given; try model --chat -p \"Why is the "
                       "sky blue?\"");
  EXPECT_EQ(check({"-p", "a", "-f", "b"}),
            "more than one prompt was given; keep one of -p, -f and "
            "--prompt-ids");
  EXPECT_EQ(check({"--prompt-ids", "1", "--chat"}),
            "--chat wraps text, --prompt-ids are taken as they are; give the "
            "text by -p or -f");
  EXPECT_EQ(check({"-p", "a", "--context-full=drop-oldest"}),
            "--context-full=drop-oldest is for conversations, which have turns "
            "to drop; leave it out, or give --chat without a prompt");
  EXPECT_EQ(check({"-p", "a", "--context-full=stop"}), "");
  EXPECT_EQ(check({"-p", "a", "--system", "b"}),
            "--system is a message of a chat; give --chat, too");
  for (const char *flag : {"--chat-template=zephyr", "--chat-template-file=x",
                           "--template-kwargs={}", "--refuse-markers"}) {
    EXPECT_EQ(check({"-p", "a", "--chat", flag}), "");
    EXPECT_EQ(check({"--chat", flag}), "");
    const std::string name(flag, strcspn(flag, "="));
    EXPECT_EQ(check({"-p", "a", flag}),
              name + " is about chats; give --chat, too");
  }
  EXPECT_EQ(check({"-p", "a", "--chat", "--chat-template=alpaca"}),
            "--chat-template: is 'alpaca', expected one of chatml, llama2, "
            "llama3, zephyr, mistral; for another give its text by "
            "--chat-template-file");
  EXPECT_EQ(check({"-p", "a", "--chat", "--chat-template=chatml",
                   "--chat-template-file=x"}),
            "--chat-template and --chat-template-file are two templates; give "
            "one of them");
  EXPECT_EQ(check({"-p", "a", "--parse-special"}), "");
  EXPECT_EQ(check({"-p", "a", "--parse-special", "--chat"}),
            "--parse-special is for raw text; in a chat the template alone "
            "writes control tokens");
  EXPECT_EQ(check({"--prompt-ids", "1", "--parse-special"}),
            "--parse-special is for text, and --prompt-ids has none; leave it "
            "out");
}

TEST(Options, AConversationHasNoPrompt) {
  auto talks = [](std::vector<std::string> arguments, bool inputIsTerminal) {
    auto options = parse(std::move(arguments));
    EXPECT_TRUE(options);
    return isConversation(*options, inputIsTerminal);
  };
  EXPECT_TRUE(talks({"--chat"}, false));
  EXPECT_TRUE(talks({}, true));
  EXPECT_TRUE(talks({"--system", "Be kind"}, true));
  EXPECT_FALSE(talks({}, false));
  EXPECT_FALSE(talks({"-p", "a", "--chat"}, true));
  EXPECT_FALSE(talks({"--bench"}, true));
}

TEST(Options, OneGrammar) {
  EXPECT_EQ(check({"-p", "a", "--grammar", "g"}), "");
  EXPECT_EQ(check({"-p", "a", "--json-schema=s"}), "");
  EXPECT_EQ(check({"-p", "a", "--grammar", "g", "--json-schema", "s"}),
            "--grammar and --json-schema both say what the answer looks like; "
            "give one of them");
  EXPECT_EQ(check({"--bench", "--grammar", "g"}),
            "--grammar is for answers, which --bench does not give; leave it "
            "out");
  EXPECT_EQ(check({"--score", "--json-schema", "s"}),
            "--json-schema is for answers, which --score does not give; leave "
            "it out");
}

TEST(Options, HelpHasEveryFlagAndFitsTheScreen) {
  std::string help = helpText("model", Machine::cpu);
  for (const char *flag : {"-p",
                           "-f",
                           "--prompt-ids",
                           "--chat",
                           "--context-full",
                           "--chat-template",
                           "--chat-template-file",
                           "--template-kwargs",
                           "--refuse-markers",
                           "--parse-special",
                           "-n",
                           "-c",
                           "-b",
                           "-t",
                           "-s",
                           "--temp",
                           "--top-k",
                           "--top-p",
                           "--min-p",
                           "--draft",
                           "--ignore-eos",
                           "--output-ids",
                           "--logits-out",
                           "-v",
                           "--version",
                           "--help"})
    EXPECT_NE(help.find("\n  " + std::string(flag)), help.npos) << flag;
  size_t start = 0;
  for (size_t end; (end = help.find('\n', start)) != help.npos; start = end + 1)
    EXPECT_LE(end - start, 79u) << help.substr(start, end - start);
  EXPECT_EQ(start, help.size());
}

TEST(Options, FlagsOfOneMachine) {
  auto options =
      parse({"--device", "1", "--list-devices", "--plan", "--bandwidth=4800"},
            Machine::gpu);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->device, 1u);
  EXPECT_TRUE(options->listDevices && options->plan);
  EXPECT_EQ(options->bandwidth, 4800);
  EXPECT_EQ(parse({"--device", "1"}).error(),
            "--device is of programs for a GPU, and this one is not; leave it "
            "out");
  for (const auto &arguments : {std::vector<std::string>{"-t2"}, {"-t", "2"}})
    EXPECT_EQ(parse(arguments, Machine::gpu).error(),
              "-t is of programs for a CPU, and this one is not; leave it out");
  EXPECT_EQ(parse({"--bandwidth", "0"}, Machine::gpu).error(),
            "--bandwidth: is '0', expected a number from 1 to 1000000");
  EXPECT_EQ(helpText("model", Machine::cpu).find("--device"),
            std::string::npos);
  const std::string ofGpu = helpText("model", Machine::gpu);
  EXPECT_NE(ofGpu.find("\n  --device"), std::string::npos);
  EXPECT_EQ(ofGpu.find("\n  -t "), std::string::npos);
}

TEST(Options, QuestionsStandAlone) {
  auto check = [](std::vector<std::string> arguments) {
    auto options = parse(arguments, Machine::gpu);
    EXPECT_TRUE(options);
    auto error = checkPromptOptions(*options, false, "model");
    return error ? error->message : "";
  };
  EXPECT_EQ(check({"--list-devices"}), "");
  EXPECT_EQ(check({"--plan", "--bandwidth", "4800", "-c", "9"}), "");
  EXPECT_EQ(check({"--bandwidth", "4800", "-p", "x"}),
            "--bandwidth is what --plan reckons with; give that, too");
  EXPECT_EQ(check({"--list-devices", "--plan"}),
            "--list-devices and --plan are two questions; give one of them");
  const std::pair<std::vector<std::string>, std::string> others[] = {
      {{"--plan", "-p", "x"}, "the prompt"},
      {{"--plan", "--bench"}, "--bench"},
      {{"--plan", "--score"}, "--score"},
      {{"--plan", "--chat"}, "--chat"},
      {{"--plan", "--device", "0"}, "--device"}};
  for (const auto &[arguments, name] : others)
    EXPECT_EQ(check(arguments),
              "--plan ends the program before it runs; leave out " + name);
}

TEST(Options, BaseName) {
  EXPECT_STREQ(baseName("/usr/bin/model"), "model");
  EXPECT_STREQ(baseName("model"), "model");
}
