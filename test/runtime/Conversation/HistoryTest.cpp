//===- HistoryTest.cpp - the messages of a conversation -------------------===//
//
// What commands do to the list of messages, and its form as JSON.
//
//===----------------------------------------------------------------------===//

#include "runtime/Conversation/History.h"
#include "gtest/gtest.h"

using namespace corellama::runtime;

/// "system:a user:b ..."
static std::string spell(const History &history) {
  std::string text;
  for (const Message &message : history.messages())
    text += (text.empty() ? "" : " ") + message.role + ":" + message.content;
  return text;
}

static History threeTurns() {
  History history("s");
  for (const char *turn : {"1", "2", "3"}) {
    history.add("user", turn);
    history.add("assistant", std::string("a") + turn);
  }
  return history;
}

TEST(History, UndoDropsATurn) {
  History history = threeTurns();
  EXPECT_TRUE(history.undo());
  EXPECT_EQ(spell(history), "system:s user:1 assistant:a1 user:2 assistant:a2");
  history.add("user", "4");
  EXPECT_TRUE(history.undo()) << "a turn without an answer";
  EXPECT_TRUE(history.undo());
  EXPECT_TRUE(history.undo());
  EXPECT_EQ(spell(history), "system:s");
  EXPECT_FALSE(history.undo());
  EXPECT_FALSE(History().undo());
}

TEST(History, DropsTheOldestTurnButNotTheLast) {
  History history = threeTurns();
  EXPECT_TRUE(history.dropOldest());
  EXPECT_EQ(spell(history), "system:s user:2 assistant:a2 user:3 assistant:a3");
  EXPECT_TRUE(history.dropOldest());
  EXPECT_FALSE(history.dropOldest());
  EXPECT_EQ(spell(history), "system:s user:3 assistant:a3");
  EXPECT_FALSE(History("s").dropOldest());
}

TEST(History, ComesBackFromJson) {
  History history("a \"quoted\"\n\\ line");
  history.add("user", "gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80 \x01");
  history.add("assistant", "");
  auto json = history.json();
  ASSERT_TRUE(json);
  EXPECT_TRUE(json->ends_with("}\n"));
  auto back = History::parse(*json);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(spell(*back), spell(history));
  back = History::parse(R"([{"role": "user", "content": "x"}])");
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(spell(*back), "user:x");
}

TEST(History, BytesThatAreNoTextAreReplaced) {
  History history;
  history.add("assistant", "a\xFF"
                           "b\xE2\x82");
  auto json = history.json();
  ASSERT_TRUE(json);
  EXPECT_NE(json->find("\"a\xEF\xBF\xBD"
                       "b\xEF\xBF\xBD\""),
            json->npos)
      << *json;
  // A role comes from a file that was loaded.
  auto loaded = History::parse("[{\"role\": \"a\xFF\", \"content\": \"\"}]");
  ASSERT_TRUE(loaded) << loaded.error();
  json = loaded->json();
  ASSERT_TRUE(json);
  EXPECT_NE(json->find("\"a\xEF\xBF\xBD\""), json->npos) << *json;
}

TEST(History, SaysWhatIsWrongInAFile) {
  const std::string expected = "expected a list of messages, or {\"messages\": "
                               "[...]}, as /save writes it";
  EXPECT_EQ(History::parse("3").error(), expected);
  EXPECT_EQ(History::parse("{}").error(), expected);
  EXPECT_EQ(History::parse(R"({"messages": {}})").error(), expected);
  EXPECT_EQ(History::parse(R"({"messages": [], "tools": []})").error(),
            expected);
  const std::string second = "message 2: expected an object with the texts "
                             "role and content, and nothing else";
  for (const char *message : {"3", "{}", R"({"role": "user"})",
                              R"({"role": "user", "content": ["x"]})",
                              R"({"role": "a", "content": "", "name": ""})"})
    EXPECT_EQ(History::parse(R"([{"role": "user", "content": ""}, )" +
                             std::string(message) + "]")
                  .error(),
              second);
  EXPECT_FALSE(History::parse("[").error().empty());
}
