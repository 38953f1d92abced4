//===- FakeProgram.cpp - generated code, written by hand ------------------===//
//
// A model without a network: stands for the object that the compiler emits, so
// that the whole runtime can be run and linked without it. The state of a
// position is a hash of the state before it, its token, its row of the RoPE
// table and a weight, kept in the cache; logits are noise from the state with
// one favourite. So every logit depends on all tokens before it, on the order
// of the steps and on every barrier.
//
// Like generated code it calls nothing but corellama_barrier.
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

static uint64_t mix(uint64_t state, uint64_t value) {
  state = (state ^ value) * 0x9E3779B97F4A7C15u;
  return state ^ (state >> 29);
}

static void appendRows(const Context *context, void *scratch, uint32_t worker,
                       uint32_t workers) {
  auto *keys = reinterpret_cast<uint64_t *>(context->keys);
  auto *values = reinterpret_cast<uint64_t *>(context->values);
  auto *rows = reinterpret_cast<uint64_t *>(context->workspace);
  for (uint64_t row = 0; row < context->rows; ++row) {
    // Any worker but the one of the row before, so that a missing barrier, or
    // one that opens early, shows.
    if (row % workers == worker) {
      auto position = uint64_t(context->positions[row]);
      auto *rope = reinterpret_cast<const uint32_t *>(context->rope) +
                   position * kRopeRow;
      uint64_t state = position == 0 ? 1 : keys[position - 1];
      state = mix(state, uint64_t(context->tokens[row]));
      state = mix(state, rope[0] ^ rope[kRopeRow - 1]);
      state = mix(state, context->weights[context->offsets[1]]);
      state = mix(state, position == 0 ? 0 : values[position - 1]);
      keys[position] = state;
      values[position] = ~state;
      rows[row] = state;
      *static_cast<uint64_t *>(scratch) = state;
    }
    corellama_barrier(context->threads, worker);
  }
}

static void head(const Context *context, void *, uint32_t worker,
                 uint32_t workers) {
  const uint64_t state =
      reinterpret_cast<uint64_t *>(context->workspace)[context->lmHeadRow];
  auto *logits =
      reinterpret_cast<float *>(context->workspace + kChunk * sizeof(uint64_t));
  const uint64_t position =
      context->keyCount - context->rows + context->lmHeadRow;
  const uint64_t favourite = (position + 1) % kAnswerEnds == 0
                                 ? uint64_t(kTurnEnd)
                                 : uint8_t(kText[position % kTextBytes]);
  for (uint64_t id = worker; id < kVocabulary; id += workers)
    logits[id] = (float(mix(state, id) >> 40) * 0x1p-24f +
                  (id == favourite ? 4.0f : 0.0f)) *
                 kScale;
}

extern "C" const corellama::abi::Program corellama_program = {
    .version = corellama::abi::kVersion,
    .reserved = 0,
    .target = "fake",
    .features = FAKE_FEATURES,
    .decode = appendRows,
    .prefill = appendRows,
    .lmHead = head,
    .kernels = nullptr,
    .kernelCount = 0,
    .workspaceBytes = kChunk * sizeof(uint64_t) + kVocabulary * sizeof(float),
    .scratchBytes = sizeof(uint64_t),
    .logitsOffset = kChunk * sizeof(uint64_t),
    .chunk = kChunk,
};
