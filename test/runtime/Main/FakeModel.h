//===- FakeModel.h - what the fake program and its tests agree on ---------===//
//
// The numbers of a made-up model. FakeProgram.cpp computes its logits in place
// of generated code, FakeImage.cpp makes its image in place of the compiler's,
// and the tests know from here what it must say.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_MAIN_FAKEMODEL_H
#define CORELLAMA_TEST_RUNTIME_MAIN_FAKEMODEL_H

#include <cstdint>

namespace corellama::test {

/// Ids 0 to 255 are bytes, then come the control tokens and one merged token;
/// the rest has no meaning.
inline constexpr uint64_t kVocabulary = 300;
inline constexpr int32_t kEndOfText = 256;
inline constexpr int32_t kTurnStart = 257;
inline constexpr int32_t kTurnEnd = 258;
inline constexpr int32_t kMerged = 259; // "he"

inline constexpr uint64_t kContext = 300;
/// Rows of its largest call, and of its head.
inline constexpr uint64_t kChunk = 16;
inline constexpr uint64_t kWanted = 3;
/// Positions of its ring, if it has one.
inline constexpr uint64_t kRing = 256;
inline constexpr uint64_t kHeadSize = 6;
inline constexpr uint64_t kRopeRow = 2 * (kHeadSize + 15);

/// What it says: after the token at position p the likeliest is byte p modulo
/// the length of this text, with characters of one to four bytes.
inline constexpr char kText[] = "hé €😀llo ";
inline constexpr uint64_t kTextBytes = sizeof(kText) - 1;
/// ... but its answer ends after every 40th position.
inline constexpr uint64_t kAnswerEnds = 40;

} // namespace corellama::test

#endif // CORELLAMA_TEST_RUNTIME_MAIN_FAKEMODEL_H
