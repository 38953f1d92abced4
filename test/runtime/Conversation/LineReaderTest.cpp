//===- LineReaderTest.cpp - messages from a pipe --------------------------===//
//
// Lines that are not edited. test/e2e/test_conversation.py types at a terminal.
//
//===----------------------------------------------------------------------===//

#include "runtime/Conversation/LineReader.h"
#include "gtest/gtest.h"

#include <csignal>
#include <unistd.h>
#include <vector>

using namespace corellama::runtime;
using Event = LineReader::Event;

static int noSignal() { return 0; }

namespace {
/// Standard input is a pipe that holds a text.
class Lines : public testing::Test {
protected:
  void give(const std::string &text) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(write(ends[1], text.data(), text.size()), ssize_t(text.size()));
    close(ends[1]);
    saved = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
  }
  void TearDown() override {
    dup2(saved, STDIN_FILENO);
    close(saved);
  }
  /// The messages up to the end.
  std::vector<std::string> all() {
    LineReader reader("test", noSignal);
    EXPECT_FALSE(reader.isInteractive());
    std::vector<std::string> messages;
    std::string message;
    while (reader.read(message) == Event::message)
      messages.push_back(message);
    return messages;
  }
  int saved = -1;
};
} // namespace

using Messages = std::vector<std::string>;

TEST_F(Lines, AMessageALine) {
  give("one\n\ntwo  \nlast");
  EXPECT_EQ(all(), (Messages{"one", "", "two  ", "last"}));
}

TEST_F(Lines, ABackslashGoesOn) {
  give("one\\\ntwo\\\n\nthree\\");
  EXPECT_EQ(all(), (Messages{"one\ntwo\n", "three"}))
      << "the input ends inside of the last message";
}

TEST_F(Lines, QuotesHoldLines) {
  give("\"\"\"one\\\n\"two\"\nthree\"\"\"\n\"\"\"same line\"\"\"\nfour\n"
       "\"\"\"\nfive\n\n\"\"\"\n\"\"\"cut\nshort");
  EXPECT_EQ(all(), (Messages{"one\\\n\"two\"\nthree", "same line", "four",
                             "five\n", "cut\nshort"}));
}

TEST_F(Lines, LinesMayEndAsOnWindows) {
  give("one\r\ntwo\r\n");
  EXPECT_EQ(all(), (Messages{"one", "two"}));
}

TEST_F(Lines, NoBytesAreSpecial) {
  const std::string odd("\0\xFF\r\x1b[A", 6);
  give(odd + "\n");
  EXPECT_EQ(all(), Messages{odd});
}

TEST_F(Lines, ASignalEndsTheRead) {
  give("");
  LineReader reader("test", [] { return SIGINT; });
  std::string message;
  EXPECT_EQ(reader.read(message), Event::interrupted);
}
