//===- Steps.cpp - whole steps, kernel by kernel --------------------------===//
//
// See Steps.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/Steps.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <utility>

namespace corellama::test {

/// Runs a step on some ids from a position on. `change` sees the rows that the
/// embedding gave.
static void runStep(TestModel &model, KernelContext &context,
                    llvm::StringRef step, llvm::ArrayRef<int32_t> ids,
                    int64_t position, std::mt19937 &random,
                    llvm::function_ref<void()> change = {}) {
  context.setRows(ids.size(), position);
  std::copy(ids.begin(), ids.end(), context.tokens.begin());
  for (const auto &[kernel, layer] : kernelsOf(model, step)) {
    runKernel(model, kernel, layer, context, random);
    if (change)
      std::exchange(change, {})();
  }
}

/// A context whose cache holds so many positions, the same ones each time.
static KernelContext contextBehind(TestModel &model, int64_t positions) {
  KernelContext context = model.makeContext();
  std::mt19937 same{7};
  fillCache(model, context, nullptr, nullptr, positions, same);
  return context;
}

/// The bits that a step left in the buffer @x.
static std::vector<uint32_t> bitsOfRows(TestModel &model,
                                        KernelContext &context, int64_t rows) {
  std::vector<uint32_t> bits;
  for (float *at :
       bufferElements(model, context, "x", {rows, model.choice.shape.dim})) {
    bits.emplace_back();
    std::memcpy(&bits.back(), at, sizeof(float));
  }
  return bits;
}

using Calls = std::vector<std::pair<std::string, int64_t>>;

/// Each of `calls` is a form and the most rows of a call.
static void checkCalls(TestModel &model, const Calls &calls,
                       std::mt19937 &random) {
  const ModelShape &s = model.choice.shape;
  // Eleven rows that cross the border of a block of keys, and what was before.
  const int64_t rows = 11, first = abi::kCacheBlock - 6;
  std::vector<int32_t> ids;
  for (int64_t row = 0; row < rows; ++row)
    ids.push_back(
        std::uniform_int_distribution<int32_t>(0, s.vocabulary - 1)(random));
  auto filled = [&] { return contextBehind(model, first); };
  KernelContext whole = filled();
  runStep(model, whole, "prefill", ids, first, random);
  std::vector<uint32_t> expected = bitsOfRows(model, whole, rows);

  for (const auto &[form, most] : calls) {
    KernelContext split = filled();
    std::vector<uint32_t> got;
    for (int64_t row = 0; row < rows; row += most) {
      int64_t count = std::min(most, rows - row);
      runStep(model, split, form, llvm::ArrayRef(ids).slice(row, count),
              first + row, random);
      llvm::append_range(got, bitsOfRows(model, split, count));
    }
    EXPECT_EQ(got, expected) << form << " in calls of " << most;
    for (int64_t layer = 0; layer < s.layers; ++layer)
      for (int64_t position = first; position < first + rows; ++position)
        for (bool keys : {true, false})
          for (int64_t e = 0; e < s.kvHeads * s.headSize; ++e) {
            CacheElement at{keys, layer, e / s.headSize, position,
                            e % s.headSize};
            ASSERT_EQ(readCache(model, split, at), readCache(model, whole, at))
                << form;
          }
  }
}

void checkFormsAgree(TestModel &model, std::mt19937 &random) {
  Calls calls = {{"prefill", 4}, {"decode", 1}};
  for (int64_t bound : model.choice.forms)
    calls.emplace_back("rows" + std::to_string(bound), bound);
  checkCalls(model, calls, random);
}

void checkCallsAgree(TestModel &model, std::mt19937 &random) {
  checkCalls(model, {{"prefill", 4}}, random);
}

void checkRingAgrees(TestModel &ring, TestModel &whole, int64_t first,
                     std::mt19937 &random) {
  std::vector<int32_t> ids;
  for (int64_t row = 0; row < 11; ++row)
    ids.push_back(std::uniform_int_distribution<int32_t>(
        0, ring.choice.shape.vocabulary - 1)(random));
  auto rowsOf = [&](TestModel &model, const std::string &form, int64_t most) {
    KernelContext context = contextBehind(model, first);
    std::vector<uint32_t> bits;
    for (int64_t row = 0; row < 11; row += most) {
      int64_t count = std::min<int64_t>(most, 11 - row);
      runStep(model, context, form, llvm::ArrayRef(ids).slice(row, count),
              first + row, random);
      llvm::append_range(bits, bitsOfRows(model, context, count));
    }
    return bits;
  };
  std::vector<std::pair<std::string, int64_t>> calls = {{"prefill", 11},
                                                        {"decode", 1}};
  for (int64_t bound : ring.choice.forms)
    calls.emplace_back("rows" + std::to_string(bound), bound);
  for (const auto &[form, most] : calls)
    EXPECT_EQ(rowsOf(ring, form, most), rowsOf(whole, form, most))
        << form << " from position " << first;
}

void checkHostileRows(TestModel &model, std::mt19937 &random) {
  using Limits = std::numeric_limits<float>;
  const int64_t dim = model.choice.shape.dim;
  // Of no whole tile; in the second block of keys.
  const int64_t rows = 7, hostile = 4, first = abi::kCacheBlock + 1;
  std::vector<int32_t> ids(rows, 1);
  for (int64_t row = 0; row < rows; ++row)
    ids[row] = static_cast<int32_t>(row);
  // `form` on rows [begin, end) of the call, row `hostile` of which holds
  // `value` in the column `column`, or in all of them.
  auto run = [&](KernelContext &context, llvm::StringRef form, int64_t begin,
                 int64_t end, std::optional<float> value, int64_t column) {
    runStep(model, context, form, llvm::ArrayRef(ids).slice(begin, end - begin),
            first + begin, random, [&] {
              if (!value || hostile < begin || hostile >= end)
                return;
              auto x = bufferElements(model, context, "x", {end - begin, dim});
              for (int64_t i = 0; i < dim; ++i)
                if (column < 0 || i == column)
                  *x[(hostile - begin) * dim + i] = *value;
            });
    return bitsOfRows(model, context, end - begin);
  };
  auto filled = [&] { return contextBehind(model, first); };
  KernelContext plain = filled();
  std::vector<uint32_t> expected = run(plain, "prefill", 0, rows, {}, -1);

  for (float value : {Limits::quiet_NaN(), Limits::infinity(),
                      -Limits::infinity(), Limits::max(), 1e-40f})
    for (int64_t column : {int64_t(-1), dim - 1}) {
      SCOPED_TRACE(llvm::formatv("{0} in column {1}", value, column).str());
      KernelContext context = filled();
      std::vector<uint32_t> got =
          run(context, "prefill", 0, rows, value, column);
      size_t before = hostile * dim;
      EXPECT_TRUE(
          std::equal(got.begin(), got.begin() + before, expected.begin()))
          << "rows before it differ";
      if (!std::isfinite(value))
        for (size_t i = before; i < before + dim; ++i)
          ASSERT_FALSE(std::isfinite(llvm::bit_cast<float>(got[i])))
              << "its element " << i - before;
      KernelContext single = filled();
      for (int64_t row = 0; row < rows; ++row) {
        std::vector<uint32_t> one =
            run(single, "decode", row, row + 1, value, column);
        for (int64_t i = 0; i < dim; ++i) {
          float there = llvm::bit_cast<float>(got[row * dim + i]);
          // Which NaN is not promised.
          ASSERT_TRUE(
              one[i] == got[row * dim + i] ||
              (std::isnan(there) && std::isnan(llvm::bit_cast<float>(one[i]))))
              << "row " << row << " element " << i << ": "
              << llvm::bit_cast<float>(one[i]) << " in decode, " << there
              << " in prefill";
        }
      }
    }
}

std::vector<std::pair<std::string, int64_t>> otherForms(TestModel &model) {
  std::vector<std::pair<std::string, int64_t>> found;
  auto wanted = std::min<int64_t>(abi::kWantedRows, model.choice.chunk);
  for (int64_t rows : model.choice.forms) {
    found.emplace_back("rows" + std::to_string(rows), rows);
    if (rows > 1 && rows < wanted)
      found.emplace_back("lm_head.rows" + std::to_string(rows), rows);
  }
  found.emplace_back("lm_head.rows" + std::to_string(wanted), wanted);
  return found;
}

void checkNoneIsForgotten(TestModel &model) {
  std::set<std::string> called;
  for (auto declared : model.schedule->getOps<llama::ModelOp>())
    for (mlir::ArrayAttr steps :
         {declared.getStepsAttr(), declared.getLmHeads()})
      for (auto step : steps.getAsRange<mlir::FlatSymbolRefAttr>())
        for (const auto &[kernel, layer] : kernelsOf(model, step.getValue()))
          called.insert(kernel);
  std::vector<std::string> names = model.kernels().names();
  // Those of cuda-add-choice are no kernels of the graph (ChoiceTest.cpp).
  std::erase_if(
      names, [](llvm::StringRef name) { return name.starts_with("choose."); });
  EXPECT_EQ(called, std::set<std::string>(names.begin(), names.end()));
  EXPECT_EQ(called.size(), names.size());
}

} // namespace corellama::test
