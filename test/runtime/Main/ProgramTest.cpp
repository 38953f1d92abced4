//===- ProgramTest.cpp - a whole program, from the command line -----------===//
//
// Runs a program that is linked from rt/ like a compiled model but computes a
// fake one (FakeProgram.cpp), and checks what it prints, writes and returns:
// everything that is the runtime's own, from the link to the last exit code.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Main/FakeImage.h"
#include "test/runtime/Main/FakeModel.h"
#include "test/runtime/Main/ProgramRunner.h"
#include "gtest/gtest.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <unistd.h>

using namespace corellama::test;

namespace {
using Arguments = std::vector<std::string>;

std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Arguments operator+(Arguments left, const Arguments &right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Arguments greedy() { return {"--temp", "0"}; }
Arguments greedyIds() { return {"--temp", "0", "--output-ids"}; }

/// `count` ids separated by commas.
std::string someIds(uint64_t count) {
  std::string ids;
  for (uint64_t i = 0; i < count; ++i)
    ids += (i ? "," : "") + std::to_string((i * 37 + 11) % kVocabulary);
  return ids;
}

/// What the fake model answers greedily to a prompt of `prompt` tokens,
/// `count` ids long.
std::vector<int> answerIds(uint64_t prompt, uint64_t count) {
  std::vector<int> ids;
  for (uint64_t position = prompt - 1; ids.size() < count; ++position)
    ids.push_back((position + 1) % kAnswerEnds == 0
                      ? kTurnEnd
                      : uint8_t(kText[position % kTextBytes]));
  return ids;
}

std::string answerLine(uint64_t prompt, uint64_t count) {
  std::string line;
  for (int id : answerIds(prompt, count))
    line += (line.empty() ? "" : ",") + std::to_string(id);
  return line + "\n";
}

class Program : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "programXXXXXX";
    ASSERT_TRUE(mkdtemp(pattern.data()));
    folder = pattern;
    program = install("model", "fake", makeImage());
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string install(const std::string &name, const std::string &linked,
                      const std::string &image, size_t cutOff = 0) {
    return corellama::test::install(folder + "/" + name, linked, image, cutOff);
  }

  void expectError(const Arguments &arguments, int code,
                   const std::string &message, const std::string &of = "") {
    Outcome outcome = run(of.empty() ? program : of, arguments);
    EXPECT_EQ(outcome.code, code) << message;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, message + "\n");
  }

  /// Only what was there before the program ran.
  void expectNothingLeftBehind() {
    for (const auto &file : std::filesystem::directory_iterator(folder))
      EXPECT_EQ(file.path().filename(), "model");
  }

  std::string folder;
  std::string program;
};
} // namespace

//===----------------------------------------------------------------------===//
// What it generates
//===----------------------------------------------------------------------===//

TEST_F(Program, PrintsText) {
  Outcome outcome = run(program, Arguments{"-p", "abc", "-n", "12"} + greedy());
  // From position 2 on, in bytes.
  std::string expected;
  for (int id : answerIds(3, 12))
    expected += char(id);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  // The text begins inside of a character: such bytes pass. It ends inside of
  // another: that is left out.
  EXPECT_EQ(expected.substr(0, 4), "\xA9 \xE2\x82");
  EXPECT_EQ(outcome.out, expected);
}

TEST_F(Program, LeavesAnUnfinishedCharacterOut) {
  // After one token: "h" and the first byte of two.
  Outcome outcome = run(program, Arguments{"-p", "a", "-n", "2"} + greedy());
  EXPECT_EQ(outcome.out, "h");
}

TEST_F(Program, EndsBeforeAStopText) {
  const std::string said = "\xA9 \xE2\x82\xAC\xF0\x9F\x98\x80llo h";
  auto out = [&](Arguments stops, const char *count = "30") {
    Outcome outcome =
        run(program, Arguments{"-p", "abc", "-n", count} + greedy() + stops);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  };
  EXPECT_EQ(out({"--stop", "llo"}), said.substr(0, 9));
  EXPECT_EQ(out({"--stop", "o h"}), said.substr(0, 11)); // of three tokens
  EXPECT_EQ(out({"--stop", "h", "--stop=lo"}), said.substr(0, 10));
  EXPECT_EQ(out({"--stop", "\xF0\x9F\x98\x80"}), said.substr(0, 5));
  // What was held back comes after all.
  EXPECT_EQ(out({"--stop", "llx", "--stop", "lll"}, "14"), said);
  EXPECT_EQ(out({"--stop", "ll"}, "10"), said.substr(0, 10));
  // Ids come with the last of the text.
  Outcome ids =
      run(program, Arguments{"-p", "abc", "--stop", "ll"} + greedyIds());
  EXPECT_EQ(ids.out, answerLine(3, 11));
}

TEST_F(Program, PenaltiesCountThePrompt) {
  // The likeliest id is 4 above all others; it has come once in these prompts.
  auto first = [&](const char *prompt, Arguments more) {
    return run(program, Arguments{"--prompt-ids", prompt, "-n", "1"} +
                            greedyIds() + more)
        .out;
  };
  const std::string favourite = first("1,2,3", {});
  const std::string prompt = favourite.substr(0, favourite.size() - 1) + ",2,3";
  EXPECT_EQ(first(prompt.c_str(), {}), favourite);
  EXPECT_EQ(first(prompt.c_str(), {"--presence-penalty=1"}), favourite);
  EXPECT_NE(first(prompt.c_str(), {"--presence-penalty=9"}), favourite);
  EXPECT_NE(first(prompt.c_str(), {"--frequency-penalty=9"}), favourite);
  EXPECT_NE(first(prompt.c_str(), {"--repeat-penalty=50"}), favourite);
  EXPECT_EQ(
      first(prompt.c_str(), {"--presence-penalty=9", "--repeat-last-n=2"}),
      favourite);
}

TEST_F(Program, PrintsIds) {
  Outcome outcome =
      run(program, Arguments{"-p", "abc", "-n", "12"} + greedyIds());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, answerLine(3, 12));
}

TEST_F(Program, TokenizesThePrompt) {
  // "he" is one token, so this is the same as four ids.
  Outcome text =
      run(program, Arguments{"-p", "abhec", "-n", "5"} + greedyIds());
  EXPECT_EQ(text.out, answerLine(4, 5));
  Outcome ids =
      run(program,
          Arguments{"--prompt-ids", "97,98,259,99", "-n", "5"} + greedyIds());
  EXPECT_EQ(ids.out, text.out);
}

TEST_F(Program, ReadsThePromptFromAFileOrStandardInput) {
  std::ofstream(folder + "/prompt") << "abhec";
  Outcome file = run(program, Arguments{"-f", folder + "/prompt", "-n", "5"} +
                                  greedyIds());
  EXPECT_EQ(file.out, answerLine(4, 5)) << file.err;
  Outcome input =
      run(program, Arguments{"-f", "-", "-n", "5"} + greedyIds(), "abhec");
  EXPECT_EQ(input.out, answerLine(4, 5)) << input.err;
}

TEST_F(Program, WrapsAChat) {
  // start u s e r \n h i end \n start a s s i s t a n t \n
  Outcome outcome =
      run(program, Arguments{"--chat", "-p", "hi", "-n", "3"} + greedyIds());
  EXPECT_EQ(outcome.out, answerLine(21, 3)) << outcome.err;
}

TEST_F(Program, EndsWhereTheAnswerEnds) {
  Outcome ids =
      run(program, Arguments{"--prompt-ids", someIds(35)} + greedyIds());
  EXPECT_EQ(ids.code, 0);
  EXPECT_EQ(ids.err, "");
  EXPECT_EQ(ids.out, answerLine(35, 6));
  // The id that ends it has no text, and the character begun before it is left
  // out.
  Outcome text =
      run(program, Arguments{"--prompt-ids", someIds(35)} + greedy());
  EXPECT_EQ(text.out, "€");
}

TEST_F(Program, IgnoreEosGoesOn) {
  Outcome outcome = run(program, Arguments{"--prompt-ids", someIds(35), "-n",
                                           "90", "--ignore-eos"} +
                                     greedyIds());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, answerLine(35, 90));
}

/// The fake model would say something else, and never ends by itself then.
TEST_F(Program, FollowsAGrammar) {
  const std::string grammar = folder + "/grammar";
  auto out = [&](const char *rules, const Arguments &more = {}) {
    std::ofstream(grammar) << rules;
    Outcome outcome = run(program, Arguments{"-p", "a", "--grammar", grammar} +
                                       greedy() + more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  };
  EXPECT_EQ(out("root ::= \"x\" [z]{3} \"é\""), "xzzzé");
  EXPECT_EQ(out("root ::= \"x\" \"y\"?", {"--ignore-eos"}), "xy");
  EXPECT_EQ(out("root ::= \"xx\"", {"--draft=ngram"}), "xx");
  EXPECT_EQ(out("root ::= [a-z]+", {"-n", "5"}).size(), 5u);
  std::ofstream(grammar) << "root ::= root";
  expectError({"-p", "a", "--grammar", grammar}, 1,
              "model: " + grammar +
                  ": no text matches: rule 'root' never ends");
  std::filesystem::remove(grammar);
  expectError({"-p", "a", "--grammar", grammar}, 1,
              "model: " + grammar +
                  ": cannot be read: No such file or "
                  "directory; give a file with the grammar");
}

TEST_F(Program, NoTokensAtAll) {
  Outcome outcome = run(program, Arguments{"-p", "abc", "-n", "0",
                                           "--logits-out", folder + "/x.npy"} +
                                     greedyIds());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "\n");
  EXPECT_EQ(readFile(folder + "/x.npy").size(), 128 + 2 * kVocabulary * 4);
}

TEST_F(Program, SaysOnceThatLogitsAreNoNumbers) {
  program = install("model", "fake-nan", makeImage());
  Outcome outcome =
      run(program, Arguments{"-p", "abc", "-n", "12"} + greedyIds());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err,
            "model: note: the model's logits are no numbers (NaN), so its ids "
            "mean nothing; the checkpoint is damaged or overflows float32\n");
}

TEST_F(Program, EndsWhenTheContextIsFull) {
  Outcome outcome = run(program, Arguments{"--prompt-ids", someIds(20), "-c",
                                           "25", "--ignore-eos"} +
                                     greedyIds());
  EXPECT_EQ(outcome.code, 0);
  // The sixth follows the last position that there is room for.
  EXPECT_EQ(outcome.out, answerLine(20, 6));
  EXPECT_EQ(outcome.err, "model: note: the context of 25 tokens is full, "
                         "generation ended\n");
}

TEST_F(Program, APromptMayFillTheContext) {
  Outcome outcome =
      run(program,
          Arguments{"--prompt-ids", someIds(300), "-n", "1"} + greedyIds());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, answerLine(300, 1));
}

TEST_F(Program, OneSeedOneTextAtAnyNumberOfThreads) {
  std::set<std::string> texts;
  for (const char *seed : {"1", "2"}) {
    std::set<std::string> ofSeed;
    for (const char *threads : {"1", "2", "3"}) {
      Outcome outcome = run(
          program, {"-p", "abc", "-n", "30", "--temp", "3", "--min-p", "0",
                    "--output-ids", "--ignore-eos", "-s", seed, "-t", threads});
      EXPECT_EQ(outcome.code, 0) << outcome.err;
      ofSeed.insert(outcome.out);
    }
    EXPECT_EQ(ofSeed.size(), 1u);
    texts.insert(ofSeed.begin(), ofSeed.end());
  }
  EXPECT_EQ(texts.size(), 2u);
  // Without a seed it is a random one.
  for (int i = 0; i < 2; ++i)
    texts.insert(run(program, {"-p", "abc", "-n", "30", "--temp", "3",
                               "--min-p", "0", "--output-ids"})
                     .out);
  EXPECT_EQ(texts.size(), 4u);
}

TEST_F(Program, VerboseEndsWithALineOfTimes) {
  Outcome outcome =
      run(program, Arguments{"-p", "abc", "-n", "12", "-v"} + greedyIds());
  EXPECT_EQ(outcome.out, answerLine(3, 12));
  EXPECT_TRUE(std::regex_match(
      outcome.err,
      std::regex("load \\d+\\.\\d ms \\| prompt 3 tokens \\d+\\.\\d tok/s \\| "
                 "decode 11 tokens \\d+\\.\\d tok/s \\| seed \\d+\n")))
      << outcome.err;
}

TEST_F(Program, HelpAndVersionNeedNoImage) {
  std::string bare = FAKE_FOLDER "/fake";
  Outcome help = run(bare, {"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.out.substr(0, 15), "usage: fake -p ");
  Outcome version = run(bare, {"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_TRUE(std::regex_match(
      version.out, std::regex("corellama [0-9.]+, compiled for fake\n")))
      << version.out;
}

//===----------------------------------------------------------------------===//
// Logits
//===----------------------------------------------------------------------===//

TEST_F(Program, LogitsFollowEachTokenButTheLast) {
  std::string path = folder + "/x.npy";
  Outcome outcome =
      run(program, Arguments{"-p", "abc", "-n", "5", "--logits-out", path} +
                       greedyIds());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::string bytes = readFile(path);
  const uint64_t rows = 3 + 5 - 1;
  ASSERT_EQ(bytes.size(), 128 + rows * kVocabulary * sizeof(float));
  EXPECT_NE(bytes.find("'shape': (7, 300)"), bytes.npos);
  auto *logits = reinterpret_cast<const float *>(bytes.data() + 128);
  for (uint64_t row = 0; row < rows; ++row)
    EXPECT_GE(logits[row * kVocabulary + uint8_t(kText[row])], 4.0f) << row;
}

TEST_F(Program, LogitsOfAnAnswerThatEndsEarlyAreWhole) {
  std::string path = folder + "/x.npy";
  Outcome outcome = run(program, Arguments{"--prompt-ids", someIds(35), "-n",
                                           "50", "--logits-out", path} +
                                     greedyIds());
  EXPECT_EQ(outcome.out, answerLine(35, 6));
  EXPECT_EQ(readFile(path).size(), 128 + (35 + 6 - 1) * kVocabulary * 4);
}

TEST_F(Program, BitsDoNotDependOnThreadsChunksOrDelays) {
  std::string delayed = install("delayed", "fake-delays", makeImage());
  std::string path = folder + "/x.npy";
  const Arguments common = Arguments{"--prompt-ids", someIds(50),    "-n", "30",
                                     "--ignore-eos", "--logits-out", path} +
                           greedyIds();
  std::string expected;
  for (const std::string &of : {program, delayed})
    for (const char *threads : {"1", "2", "3", "5", "8"})
      // Forms filled, forms with room left, and what is left over of the
      // prompt.
      for (const char *rows : {"1", "3", "5", "7", "16"}) {
        Outcome outcome =
            run(of, common + Arguments{"-t", threads, "-b", rows});
        ASSERT_EQ(outcome.out, answerLine(50, 30)) << outcome.err;
        std::string logits = readFile(path);
        if (expected.empty())
          expected = logits;
        ASSERT_TRUE(logits == expected)
            << of << " -t " << threads << " -b " << rows;
      }
  // And the same ids given as one prompt.
  std::string all = someIds(50);
  for (int id : answerIds(50, 29))
    all += "," + std::to_string(id);
  run(program, Arguments{"--prompt-ids", all, "-n", "1", "--logits-out", path} +
                   greedyIds());
  EXPECT_TRUE(readFile(path) == expected);
}

//===----------------------------------------------------------------------===//
// Pipes and signals
//===----------------------------------------------------------------------===//

TEST_F(Program, AClosedPipeIsSuccess) {
  Running running = start(program, {"-p", "abc", "--ignore-eos", "-v"});
  close(running.out);
  running.out = dup(running.err);
  Outcome outcome = finish(running);
  EXPECT_EQ(outcome.code, 0);
}

TEST_F(Program, AFullDiskIsNot) {
  std::string shell = "/bin/sh";
  Outcome outcome =
      run(shell, {"-c", program + " -p abc -n 5 --temp 0 > /dev/full"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "model: standard output cannot be written: No space "
                         "left on device; the answer is not complete\n");
}

TEST_F(Program, CtrlCWhileThePromptIsRead) {
  // While it waits for the rest of the prompt; started as a shell starts a job
  // in the background, where these tests may be.
  auto inherited = signal(SIGINT, SIG_IGN);
  Running running = start(
      program, {"-f", "-", "--temp", "0", "--logits-out", folder + "/x.npy"});
  signal(SIGINT, inherited);
  usleep(100000);
  kill(running.process, SIGINT);
  Outcome outcome = finish(running);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_EQ(outcome.err, "");
  expectNothingLeftBehind();
}

TEST_F(Program, CtrlCEndsWithWhatWasWritten) {
  // An answer that would take minutes, and a pipe that is never read.
  std::string image = makeImage();
  headerOf(image).context = 2000000;
  std::string large = install("model", "fake", image);
  Running running =
      start(large, {"-p", "abc", "--temp", "0", "--ignore-eos", "--output-ids",
                    "--logits-out", folder + "/x.npy"});
  char byte;
  ASSERT_EQ(read(running.out, &byte, 1), 1);
  kill(running.process, SIGINT);
  Outcome outcome = finish(running);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(std::regex_match(outcome.out, std::regex("[0-9,]*\n?")))
      << outcome.out;
  expectNothingLeftBehind();
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

TEST_F(Program, AskedWrongly) {
  expectError({}, 2,
              "model: no prompt was given; try model --chat -p \"Why is "
              "the sky blue?\"");
  expectError({"--tmep", "1"}, 2,
              "model: unknown option '--tmep'; did you mean --temp?");
}

TEST_F(Program, NotPossible) {
  const struct {
    Arguments arguments;
    std::string message;
  } cases[] = {
      {{"-p", ""}, "the prompt is empty; give at least one character"},
      {{"--prompt-ids", "1,300"},
       "prompt: token id 300 is outside of the vocabulary; give ids from 0 to "
       "299"},
      {{"--prompt-ids", someIds(9), "-c", "8"},
       "the prompt has 9 tokens, the context has room for 8; give a larger -c "
       "or a shorter prompt"},
      {{"--prompt-ids", someIds(301)},
       "the prompt has 301 tokens, the context has room for 300; give a "
       "shorter prompt"},
      {{"-p", "a", "-c", "301"},
       "-c: is 301, this model was made for at most 300 tokens; give a smaller "
       "-c"},
      {{"-p", "a", "-b", "17"},
       "-b: is 17, this program was compiled for at most 16; give a smaller -b "
       "or compile it with --chunk=17"},
      {{"-p", "a", "-t", "5000"},
       "5000 threads were asked for; give -t a number from 1 to 4096"},
      {{"-f", "/none/such"},
       "/none/such: cannot be read: No such file or directory; give a file "
       "with the prompt's text"},
      {{"-f", "/"},
       "/: cannot be read: Is a directory; give a file with the prompt's text"},
      {{"-p", "a", "--logits-out", "/none/such.npy"},
       "/none/such.npy: cannot be made: No such file or directory; give "
       "--logits-out a file that can be written"},
  };
  for (const auto &[arguments, message] : cases)
    expectError(arguments, 1, "model: " + message);
  expectNothingLeftBehind();
}

TEST_F(Program, WithoutATokenizer) {
  program = install("model", "fake", makeImage(/*withTokenizer=*/false));
  const std::string advice = "the checkpoint it was compiled from has none; "
                             "give --prompt-ids and --output-ids";
  expectError({"-p", "abc"}, 1,
              "model: this program can print no text: " + advice);
  expectError({"-p", "abc", "--output-ids"}, 1,
              "model: this program can read no text: " + advice);
  expectError({"--prompt-ids", "1", "--output-ids", "--stop", "a"}, 1,
              "model: --stop looks for text: the checkpoint it was compiled "
              "from has none; leave it out");
  for (const char *flag : {"--grammar", "--json-schema"})
    expectError({"--prompt-ids", "1", "--output-ids", flag, "a"}, 1,
                std::string("model: ") + flag +
                    " is about text: the checkpoint it was compiled from has "
                    "none; leave it out");
  Outcome outcome =
      run(program, Arguments{"--prompt-ids", "1,2,3", "-n", "5"} + greedyIds());
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, answerLine(3, 5));
}

TEST_F(Program, ADamagedImageIsNamed) {
  std::string image = makeImage();
  headerOf(image).vocabulary = 0;
  program = install("model", "fake", image);
  expectError({"-p", "a"}, 1,
              "model: image: vocabulary: is 0, expected 1 to 2147483647; the "
              "program is damaged, copy or compile it again");

  image = makeImage();
  headerOf(image).vocabulary = kVocabulary + 1;
  program = install("model", "fake", image);
  expectError({"-p", "a"}, 1,
              "model: the generated code and the image do not fit each other; "
              "the program is damaged, compile it again");
}

// Lists out of order, of too many or no rows, without a step, of more logits
// than the workspace has room for.
TEST_F(Program, ADamagedListOfFormsIsNamed) {
  for (const char *damage : {"1", "2", "3", "4", "5"}) {
    program =
        install("model", std::string("fake-damaged-") + damage, makeImage());
    expectError({"-p", "a"}, 1,
                "model: the generated code and the image do not fit each "
                "other; the program is damaged, compile it again");
  }
}

TEST_F(Program, ATruncatedFileIsNamed) {
  program = install("model", "fake", makeImage(), 4096);
  expectError({"-p", "a"}, 1,
              "model: a part of the program's file cannot be read: it was cut "
              "short or its disk failed; copy or compile it again");
}

TEST_F(Program, WithoutAnImage) {
  expectError({"-p", "a"}, 1,
              "fake: the program has no image: it carries no weights; compile "
              "it with `corellama compile`",
              FAKE_FOLDER "/fake");
}

TEST_F(Program, OnAnotherCpu) {
  program = install("model", "fake-features", makeImage());
  expectError({"-p", "a"}, 1,
              "model: this program needs the CPU feature 'no-such-feature', "
              "which its runtime cannot check; compile the model for another "
              "target");
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

TEST_F(Program, NeedsOnlyTheCLibrary) {
  Outcome outcome = run("/usr/bin/ldd", {program});
  std::regex allowed("\\s*(linux-vdso\\.so\\.1|libc\\.so\\.6|/lib64/ld-linux-"
                     "x86-64\\.so\\.2)\\s.*");
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);)
    EXPECT_TRUE(std::regex_match(line, allowed)) << line;
  EXPECT_NE(outcome.out.find("libc.so.6"), std::string::npos);
}

TEST_F(Program, NeedsNoProc) {
  // The image is found in memory, wherever the file is run from.
  std::filesystem::current_path(folder);
  Outcome outcome =
      run("./model", Arguments{"-p", "abc", "-n", "2"} + greedyIds());
  std::filesystem::current_path("/");
  EXPECT_EQ(outcome.out, answerLine(3, 2));
}
