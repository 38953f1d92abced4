//===- FakeProgram.cpp - generated code, written by hand ------------------===//
//
// A model without a network: stands for the object that the compiler emits, so
// that the whole runtime can be run and linked without it. The state of a
// position is a hash of the state before it, its token, its row of the RoPE
// table and a weight, kept in the cache; logits are noise from the state with
// one favourite. So every logit depends on all tokens before it, on the order
// of the steps and on every barrier.
//
// Like generated code it calls nothing but corellama_dispatch and
// corellama_barrier.
//
//===----------------------------------------------------------------------===//

#include "runtime/ABI/Kernel.h"
#include "test/runtime/Main/FakeModel.h"

using namespace corellama::test;
using Context = corellama::abi::Context;

/// Another program of these tests needs a feature that no CPU has.
#ifndef FAKE_FEATURES
#define FAKE_FEATURES "64bit,sse2"
#endif

/// The logits of another are no numbers.
#ifdef FAKE_NAN
static constexpr float kScale = __builtin_nanf("");
#else
static constexpr float kScale = 1;
#endif

/// Another keeps its last positions alone, of which a state sees the one before
/// it.
#ifdef FAKE_RING
static uint64_t placeOf(uint64_t position) { return position % kRing; }
#else
static uint64_t placeOf(uint64_t position) { return position; }
#endif

static uint64_t mix(uint64_t state, uint64_t value) {
  state = (state ^ value) * 0x9E3779B97F4A7C15u;
  return state ^ (state >> 29);
}

/// A row of a form of at most `most`: asked for more it loses its way, and so
/// does every text and logit behind. It is one part, which goes to any worker,
/// so that a missing barrier, or one that opens early, shows.
template <uint64_t most>
static void appendRow(const Context *context, void *scratch, uint32_t row,
                      uint32_t, uint32_t, uint32_t) {
  auto *keys = reinterpret_cast<uint64_t *>(context->keys);
  auto *values = reinterpret_cast<uint64_t *>(context->values);
  auto *rows = reinterpret_cast<uint64_t *>(context->workspace);
  auto position = uint64_t(context->positions[row]);
  auto *rope =
      reinterpret_cast<const uint32_t *>(context->rope) + position * kRopeRow;
  uint64_t state = position == 0 ? 1 : keys[placeOf(position - 1)];
  state += row < most ? 0 : row;
  state = mix(state, uint64_t(context->tokens[row]));
  state = mix(state, rope[0] ^ rope[kRopeRow - 1]);
  state = mix(state, context->weights[context->offsets[1]]);
  state = mix(state, position == 0 ? 0 : values[placeOf(position - 1)]);
  keys[placeOf(position)] = state;
  values[placeOf(position)] = ~state;
  rows[row] = state;
  *static_cast<uint64_t *>(scratch) = state;
}

template <uint64_t most>
static void appendRows(const Context *context, void *scratch, uint32_t worker) {
  for (uint32_t row = 0; row < context->rows; ++row) {
    corellama_dispatch(context->threads, worker, appendRow<most>, context,
                       scratch, row, 1);
    corellama_barrier(context->threads, worker);
  }
}

/// Logits of a wanted row, some ids of its vocabulary.
static void logits(const Context *context, void *, uint32_t wanted,
                   uint32_t begin, uint32_t end, uint32_t) {
  auto *all =
      reinterpret_cast<float *>(context->workspace + kChunk * sizeof(uint64_t));
  const auto row = uint64_t(context->wanted[wanted]);
  const uint64_t state = reinterpret_cast<uint64_t *>(context->workspace)[row];
  const auto position = uint64_t(context->positions[row]);
  const uint64_t favourite = (position + 1) % kAnswerEnds == 0
                                 ? uint64_t(kTurnEnd)
                                 : uint8_t(kText[position % kTextBytes]);
  for (uint64_t id = begin; id < end; ++id)
    all[wanted * kVocabulary + id] = (float(mix(state, id) >> 40) * 0x1p-24f +
                                      (id == favourite ? 4.0f : 0.0f)) *
                                     kScale;
}

template <uint64_t most>
static void head(const Context *context, void *scratch, uint32_t worker) {
  for (uint32_t i = 0; i < context->rows && i < most; ++i)
    corellama_dispatch(context->threads, worker, logits, context, scratch, i,
                       kVocabulary);
}

/// Lists of others are damaged: out of order, of no rows, of too many, without
/// a step, of more logits than there is room for.
#ifndef FAKE_DAMAGE
#define FAKE_DAMAGE 0
#endif
static constexpr corellama::abi::Entry kEntries[] = {
    {"one", 1, appendRows<1>},
    {"five", FAKE_DAMAGE == 1 ? 1 : 5, appendRows<5>},
    {"all", FAKE_DAMAGE == 2 ? 1ull << 31 : kChunk, appendRows<kChunk>}};
static constexpr corellama::abi::Entry kHeads[] = {
    {"one", FAKE_DAMAGE == 3 ? 0 : 1, FAKE_DAMAGE == 4 ? nullptr : head<1>},
    {"some", FAKE_DAMAGE == 5 ? kWanted + 1 : kWanted, head<kWanted>}};

static constexpr corellama::abi::Program kProgram = {
    .version = corellama::abi::kVersion,
    .reserved = 0,
    .target = "fake",
    .features = FAKE_FEATURES,
    .entries = kEntries,
    .entryCount = sizeof(kEntries) / sizeof(kEntries[0]),
    .lmHeads = kHeads,
    .lmHeadCount = sizeof(kHeads) / sizeof(kHeads[0]),
    .kernels = nullptr,
    .kernelCount = 0,
    .workspaceBytes =
        kChunk * sizeof(uint64_t) + kWanted * kVocabulary * sizeof(float),
    .scratchBytes = sizeof(uint64_t),
    .logitsOffset = kChunk * sizeof(uint64_t),
};

extern "C" const corellama::abi::Program *const corellama_programs[] = {
    &kProgram, nullptr};
