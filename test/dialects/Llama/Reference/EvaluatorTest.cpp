//===- EvaluatorTest.cpp - what only code can ask of the evaluator --------===//
//
// Values and weights of the caller's, buffers and inputs of a kernel that runs
// alone, what is refused before anything is computed. Ops, steps and models are
// tested from the command line, in the .mlir files beside this one.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/EvalMain.h"
#include "dialects/Llama/Reference/EvaluateModel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <cstring>

using namespace corellama::llama;
using namespace corellama::llama::reference;

namespace {

class EvaluatorTest : public ::testing::Test {
protected:
  EvaluatorTest() {
    context.loadDialect<LlamaDialect, mlir::func::FuncDialect,
                        mlir::arith::ArithDialect, mlir::scf::SCFDialect>();
  }
  mlir::ModuleOp parse(const char *text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    return *module;
  }
  static std::string message(llvm::Expected<std::vector<Datum>> results) {
    return results ? "" : llvm::toString(results.takeError());
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// One weight for every reference.
class OneWeight : public WeightSource {
public:
  explicit OneWeight(WeightData weight) : weight(std::move(weight)) {}
  llvm::Expected<WeightData> get(mlir::SymbolRefAttr,
                                 std::optional<int64_t>) override {
    return weight;
  }

private:
  WeightData weight;
};

WeightData weightOf(Shape shape, std::vector<float> values) {
  auto bytes =
      std::make_shared<std::vector<uint8_t>>(values.size() * sizeof(float));
  std::memcpy(bytes->data(), values.data(), bytes->size());
  return {Format::F32, std::move(shape), *bytes, bytes};
}

constexpr const char *kScaled = R"mlir(
  llama.weight @w : 2 formats [#llama.f32]
  llama.buffer @x : tensor<4x2xf32> at 0
  llama.buffer @y : tensor<4x2xf32> at 32
  llama.buffer @z : tensor<2x2xf32> at 16
  func.func private @norm() {
    %x = llama.buffer_read @x : tensor<?x2xf32>
    %w = llama.weight_ref @w : !llama.weight<2, #llama.f32>
    %y = llama.rms_norm %x, %w eps 1.0e-30 : tensor<?x2xf32>, !llama.weight<2, #llama.f32>
    llama.buffer_write %y, @y : tensor<?x2xf32>
    return
  }
  func.func private @wanted() -> tensor<?x2xf32> {
    %r = llama.input wanted : tensor<?xi32>
    %x = llama.buffer_read @x[%r : tensor<?xi32>] : tensor<?x2xf32>
    llama.buffer_write %x, @z : tensor<?x2xf32>
    return %x : tensor<?x2xf32>
  }
)mlir";

TEST_F(EvaluatorTest, AKernelAloneOnBuffers) {
  OneWeight weights(weightOf({2}, {1, 10}));
  Evaluator evaluator(parse(kScaled), &weights, Mode::Ideal);
  EXPECT_EQ(
      message(evaluator.call("norm", {})),
      "@norm: llama.buffer_read: buffer @x has no value: nothing wrote it, "
      "or a buffer that "
      "lies over it was written since");
  evaluator.setBuffer("x", Tensor{{3, 2}, {1, 1, -1, 1, 2, 2}});
  EXPECT_EQ(message(evaluator.call("norm", {})), "");
  ASSERT_TRUE(evaluator.getBuffer("y"));
  EXPECT_EQ(evaluator.getBuffer("y")->values,
            (std::vector<double>{1, 10, -1, 10, 1, 10}));
  EXPECT_EQ(evaluator.getLastBufferWritten(), "y");
  EXPECT_EQ(evaluator.getBuffer("z"), nullptr);
}

TEST_F(EvaluatorTest, ABufferHoldsNoMoreThanItsCapacity) {
  OneWeight weights(weightOf({2}, {1, 10}));
  Evaluator evaluator(parse(kScaled), &weights, Mode::Ideal);
  evaluator.setBuffer("x", Tensor{{5, 2}, std::vector<double>(10, 1.0)});
  EXPECT_EQ(
      message(evaluator.call("norm", {})),
      "@norm: llama.buffer_write: buffer @y holds at most 4x2, found 5x2");
}

TEST_F(EvaluatorTest, RowsOfABufferAndWhatLiesOverThem) {
  Evaluator evaluator(parse(kScaled), nullptr, Mode::Ideal);
  evaluator.setBuffer("x", Tensor{{2, 2}, {1, 2, 3, 4}});
  evaluator.setBuffer("y", Tensor{{1, 2}, {5, 6}});
  StepInputs inputs;
  inputs.wanted = {{2}, {1, 0}};
  evaluator.setInputs(inputs);
  auto results = evaluator.call("wanted", {});
  ASSERT_TRUE(bool(results));
  EXPECT_EQ(std::get<Tensor>(results->front()).values,
            (std::vector<double>{3, 4, 1, 2}));
  // @z lies over the last bytes of @x's capacity, and beside @y.
  EXPECT_EQ(evaluator.getBuffer("x"), nullptr);
  EXPECT_NE(evaluator.getBuffer("y"), nullptr);
  inputs.wanted = {{1}, {2}};
  evaluator.setInputs(inputs);
  evaluator.setBuffer("x", Tensor{{2, 2}, {1, 2, 3, 4}});
  EXPECT_EQ(message(evaluator.call("wanted", {})),
            "@wanted: llama.buffer_read: row 2 of buffer @x, which holds 2");
}

TEST_F(EvaluatorTest, AWeightOfTheWrongSizeOrShape) {
  Tensor x{{1, 2}, {1, 1}};
  WeightData short_ = weightOf({2}, {1});
  OneWeight shortWeights(short_);
  Evaluator first(parse(kScaled), &shortWeights, Mode::Ideal);
  first.setBuffer("x", x);
  EXPECT_EQ(
      message(first.call("norm", {})),
      "@norm: llama.weight_ref: @w: a weight of 2 in f32 has 8 bytes, found 4");
  OneWeight otherWeights(weightOf({3}, {1, 2, 3}));
  Evaluator second(*module, &otherWeights, Mode::Ideal);
  second.setBuffer("x", x);
  EXPECT_EQ(message(second.call("norm", {})),
            "@norm: llama.weight_ref: the result: !llama.weight<2, #llama.f32> "
            "was expected, "
            "found a weight of 3 in f32");
}

TEST_F(EvaluatorTest, WhatACallRefuses) {
  Evaluator evaluator(parse(R"mlir(
    func.func @f(%x: tensor<?x2xf32>, %l: index) { return }
    func.func @w(%w: !llama.weight<2, #llama.f32>) { return }
    func.func @again() { call @again() : () -> () return }
    func.func private @declared()
    func.func @unknown(%x: tensor<2xf32>) { %0 = arith.addf %x, %x : tensor<2xf32> return }
    func.func @zero(%a: index, %b: index) -> index { %0 = arith.divsi %a, %b : index return %0 : index }
  )mlir"),
                      nullptr, Mode::Ideal);
  EXPECT_EQ(message(evaluator.call("g", {})),
            "@g: is not a function of this module");
  EXPECT_EQ(message(evaluator.call("declared", {})),
            "@declared: has no body, the evaluator runs functions of one");
  EXPECT_EQ(message(evaluator.call("f", {})), "@f: takes 2 arguments, found 0");
  EXPECT_EQ(
      message(
          evaluator.call("f", {Tensor{{1, 3}, {1, 2, 3}}, Datum(int64_t(0))})),
      "@f: argument 0: tensor<?x2xf32> was expected, found a tensor of 1x3");
  EXPECT_EQ(message(evaluator.call(
                "f", {Tensor{{1, 2}, {1, 2}}, Tensor{{1, 2}, {1, 2}}})),
            "@f: argument 1: index was expected, found a tensor of 1x2");
  WeightData weight = weightOf({2}, {1, 2});
  weight.bytes = weight.bytes.drop_back();
  EXPECT_EQ(message(evaluator.call("w", {weight})),
            "@w: argument 0: a weight of 2 in f32 has 8 bytes, found 7");
  EXPECT_EQ(message(evaluator.call("again", {})),
            "@again: calls are nested deeper than 64");
  EXPECT_EQ(message(evaluator.call("unknown", {Tensor{{2}, {1, 2}}})),
            "@unknown: arith.addf: is not an op that the evaluator knows; it "
            "runs the phases from import to schedule");
  EXPECT_EQ(
      message(evaluator.call("zero", {Datum(int64_t(1)), Datum(int64_t(0))})),
      "@zero: arith.divsi: divides by zero");
}

TEST_F(EvaluatorTest, IndexArithmeticAndLoops) {
  Evaluator evaluator(parse(R"mlir(
    func.func @sum(%n: index) -> (index, i32, index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c3 = arith.constant 3 : index
      %sum = scf.for %i = %c0 to %n step %c3 iter_args(%acc = %c0) -> index {
        %next = arith.addi %acc, %i : index
        scf.yield %next : index
      }
      %m = arith.muli %sum, %c3 : index
      %narrow = arith.index_cast %m : index to i32
      %more = arith.cmpi sgt, %sum, %n : index
      %chosen = arith.select %more, %sum, %n : index
      return %m, %narrow, %chosen : index, i32, index
    }
  )mlir"),
                      nullptr, Mode::Ideal);
  // 0 + 3 + 6 + 9 = 18, times 3 = 54.
  auto results = evaluator.call("sum", {Datum(int64_t(10))});
  ASSERT_TRUE(bool(results));
  EXPECT_EQ(std::get<int64_t>((*results)[0]), 54);
  EXPECT_EQ(std::get<int64_t>((*results)[1]), 54);
  EXPECT_EQ(std::get<int64_t>((*results)[2]), 18);
}

TEST_F(EvaluatorTest, AModelNeedsIds) {
  OneWeight weights(weightOf({2}, {1, 2}));
  auto logits = evaluateModel(
      parse("llama.model @m steps [] lm_heads [@s]\nllama.step @s rows 1 {}"),
      weights, {}, Mode::Ideal);
  ASSERT_FALSE(bool(logits));
  EXPECT_EQ(llvm::toString(logits.takeError()), "there are no ids to run");
  logits = evaluateModel(*module, weights, {1}, Mode::Ideal);
  ASSERT_FALSE(bool(logits));
  EXPECT_EQ(llvm::toString(logits.takeError()), "the model has no form ''");
}

TEST(EvalMain, AnUnknownMode) {
  EvalOptions options;
  options.mode = "exact";
  std::string out, err;
  llvm::raw_string_ostream outStream(out), errStream(err);
  EXPECT_EQ(evalMain(options, {}, outStream, errStream), 1);
  EXPECT_EQ(out, "");
  EXPECT_EQ(err, "corellama: --mode: 'exact' is not a mode, expected "
                 "as-specified or ideal\n");
}

} // namespace
