//===- ReportTest.cpp - the closing line ----------------------------------===//
//
// Tests runtime/Main/Report.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Report.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;

TEST(Report, ClosingLine) {
  Generation generation;
  generation.promptTokens = 512;
  generation.promptSeconds = 0.5;
  generation.decodeTokens = 255;
  generation.decodeSeconds = 2;
  generation.seed = 7;
  EXPECT_EQ(closingLine(0.01234, generation),
            "load 12.3 ms | prompt 512 tokens 1024.0 tok/s | decode 255 tokens "
            "127.5 tok/s | seed 7\n");
}

TEST(Report, WhatBecameOfDrafts) {
  Generation generation;
  generation.decodeTokens = 30;
  generation.decodeSeconds = 2;
  generation.decodeCalls = 12;
  generation.drafted = 25;
  generation.accepted = 18;
  EXPECT_EQ(closingLine(0, generation),
            "load 0.0 ms | prompt 0 tokens | decode 30 tokens 15.0 "
            "tok/s | drafts 18 of 25 right, 2.50 tokens a call | seed 0\n");
}

TEST(Report, WhatTheCacheHeld) {
  Generation generation;
  generation.promptTokens = 12;
  generation.promptSeconds = 1;
  generation.keptTokens = 300;
  EXPECT_EQ(closingLine(std::nullopt, generation),
            "prompt 12 tokens (300 kept) 12.0 tok/s | decode 0 tokens 0.0 "
            "tok/s | seed 0\n");
}

TEST(Report, NothingDecoded) {
  EXPECT_EQ(closingLine(0, Generation{}),
            "load 0.0 ms | prompt 0 tokens | decode 0 tokens 0.0 "
            "tok/s | seed 0\n");
}

TEST(Report, ClockGoesForward) {
  Stopwatch watch;
  double first = watch.seconds();
  EXPECT_GE(first, 0);
  EXPECT_GE(watch.seconds(), first);
}
