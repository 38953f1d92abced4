//===- ReservationTest.cpp - reserved memory, and sizes that are refused --===//
//
// Tests runtime/Memory/Reservation.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Memory/Reservation.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;

TEST(Reservation, IsZeroedAlignedAndWritable) {
  auto memory = Reservation::create("memory", 1000, 1000);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->size(), 1000000u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->data()) % 4096, 0u);
  EXPECT_EQ(memory->data()[0], 0);
  EXPECT_EQ(memory->data()[999999], 0);
  memory->data()[999999] = 1;
}

TEST(Reservation, CostsNothingUntilTouched) {
  // More than any machine that runs this has.
  auto memory = Reservation::create("memory", uint64_t(1) << 42, 1);
  ASSERT_TRUE(memory) << memory.error();
  memory->data()[uint64_t(1) << 41] = 1;
}

TEST(Reservation, OfNothingIsEmpty) {
  auto memory = Reservation::create("memory", 0, 1000);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->size(), 0u);
}

TEST(Reservation, Moves) {
  auto memory = Reservation::create("memory", 1, 4096);
  ASSERT_TRUE(memory);
  uint8_t *data = memory->data();
  Reservation other;
  other = std::move(*memory);
  EXPECT_EQ(other.data(), data);
  other.data()[0] = 1;
  EXPECT_EQ(memory->data(), nullptr);
}

TEST(Reservation, RefusesWhatOverflows) {
  auto memory = Reservation::create("the cache", uint64_t(1) << 63, 4);
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error(), "the cache would take 9223372036854775808 x 4 "
                            "bytes, more than a process can address");
}

TEST(Reservation, RefusesWhatNoProcessCanAddress) {
  EXPECT_FALSE(Reservation::create("the cache", uint64_t(1) << 47, 2));
}

TEST(Reservation, SaysThatTheSystemRefused) {
  auto memory = Reservation::create("the cache", uint64_t(1) << 47, 1);
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error(), "the cache takes 140737488355328 bytes, which "
                            "cannot be reserved: Cannot allocate memory");
}

TEST(RoundUp, GoesToTheNextMultiple) {
  uint64_t result;
  EXPECT_TRUE(roundUp(0, 256, result));
  EXPECT_EQ(result, 0u);
  EXPECT_TRUE(roundUp(1, 256, result));
  EXPECT_EQ(result, 256u);
  EXPECT_TRUE(roundUp(256, 256, result));
  EXPECT_EQ(result, 256u);
  EXPECT_FALSE(roundUp(UINT64_MAX - 254, 256, result));
}
