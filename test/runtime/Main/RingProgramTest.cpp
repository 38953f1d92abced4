//===- RingProgramTest.cpp - programs that forget, going back -------------===//
//
// A program whose cache is a ring of 256 positions and one that keeps all 300
// of its context, side by side: whatever is asked of them, drafts,
// conversations that are edited, requests, they must answer the same. The model
// is the fake one of FakeProgram.cpp, each of whose logits depends on all
// tokens before it.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Main/FakeImage.h"
#include "test/runtime/Main/FakeModel.h"
#include "test/runtime/Main/ProgramRunner.h"
#include "gtest/gtest.h"

#include <filesystem>
#include <sstream>
#include <vector>

using namespace corellama::test;

namespace {
class RingProgram : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "ringXXXXXX";
    ASSERT_TRUE(mkdtemp(pattern.data()));
    folder = pattern;
    whole = install(folder + "/whole", "fake", makeImage());
    ring = install(folder + "/ring", "fake-ring",
                   makeImage(true, /*withRing=*/true));
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// What both answer, which must be the same.
  Outcome runBoth(const std::vector<std::string> &arguments,
                  const std::string &input = "") {
    Outcome expected = run(whole, arguments, input),
            got = run(ring, arguments, input);
    EXPECT_EQ(got.code, expected.code) << got.err;
    EXPECT_EQ(got.out, expected.out);
    return got;
  }

  std::string folder, whole, ring;
};

/// A request of --score: the logits behind the last of `count` ids, the first
/// of which stands at `depth`.
std::string request(uint64_t depth, uint64_t count) {
  std::string line = "logits " + std::to_string(depth) + " 1";
  for (uint64_t id = 0; id < count; ++id)
    line += " " + std::to_string((depth + id * 7) % 250);
  return line + "\n";
}
} // namespace

TEST_F(RingProgram, GeneratesPastTheEndOfTheRing) {
  std::string ids = "65";
  for (int i = 0; i < 249; ++i)
    ids += ",66";
  for (const char *drafts : {"none", "ngram"})
    EXPECT_EQ(runBoth({"--prompt-ids", ids, "-n", "49", "--temp", "0",
                       "--ignore-eos", "--output-ids", "--draft", drafts})
                  .code,
              0);
}

// 290 positions, of which the first 34 were replaced. Back to 281 the ring has
// room for, by the rows of a call; back to nothing is a beginning.
TEST_F(RingProgram, GoesBackAsFarAsTheRingHolds) {
  Outcome outcome =
      runBoth({"--score"}, request(0, 290) + request(281, 9) + request(274, 3) +
                               request(0, 20) + request(3, 4));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.size(), 5 * kVocabulary * sizeof(float));
}

// A request names the depth at which its ids stand, so it cannot be answered
// where what is before them is gone.
TEST_F(RingProgram, RefusesARequestBehindWhatIsGone) {
  std::string input = request(0, 290) + request(100, 3);
  EXPECT_EQ(run(whole, {"--score"}, input).code, 0);
  Outcome outcome = run(ring, {"--score"}, input);
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find(
                "cannot go back from position 290 to 100: attention has a "
                "window, and the cache holds no more what it sees from there; "
                "begin again at position 0"),
            std::string::npos)
      << outcome.err;
}

// 266 positions, of which the last turn is taken back: the ring has lost the
// first ten, so the conversation is read again from its beginning, and goes on
// as if nothing had been forgotten.
TEST_F(RingProgram, ReadsAConversationAgain) {
  std::string first(100, 'a'), second(115, 'b');
  Outcome outcome =
      runBoth({"--chat", "--temp", "0", "-n", "20", "-v"},
              first + "\n" + second + "\n/undo\nsome other text\n");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  // Of three prompts the second goes on where the first ended, the third not.
  std::vector<bool> keeps;
  std::istringstream lines(outcome.err);
  for (std::string line; std::getline(lines, line);)
    keeps.push_back(line.find("kept)") != std::string::npos);
  EXPECT_EQ(keeps, (std::vector<bool>{false, true, false})) << outcome.err;
}
