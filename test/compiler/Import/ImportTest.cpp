//===- ImportTest.cpp - checkpoints as modules ----------------------------===//
//
// Small checkpoints in memory -> the modules they become, compared with text
// written by hand.
//
//===----------------------------------------------------------------------===//

#include "compiler/Import/Import.h"
#include "compiler/Import/LayerSignatures.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "test/compiler/Checkpoint/GGUFBuilder.h"
#include "gtest/gtest.h"

using namespace corellama;
using namespace corellama::llama;
using namespace corellama::test;

namespace {

class ImportTest : public testing::Test {
protected:
  /// Imports a file; the module verifies.
  mlir::ModuleOp import(const GGUFBuilder &builder) {
    auto read = checkpoint::readCheckpoint(
        llvm::MemoryBuffer::getMemBufferCopy(builder.build(), "folder/m.gguf"));
    if (!read) {
      ADD_FAILURE() << llvm::toString(read.takeError());
      return {};
    }
    checkpoint.emplace(std::move(*read));
    module = importCheckpoint(context, *checkpoint);
    EXPECT_TRUE(mlir::succeeded(mlir::verify(*module)));
    return *module;
  }

  static std::string print(mlir::Operation *op) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    op->print(stream);
    return text;
  }

  /// The text of the first operation of a type.
  template <typename Op> std::string printFirst() {
    std::string text;
    module->walk([&](Op op) {
      text = print(op);
      return mlir::WalkResult::interrupt();
    });
    return text;
  }

  mlir::MLIRContext context;
  std::optional<checkpoint::Checkpoint> checkpoint;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

TEST_F(ImportTest, AWholeModelReadsAsTheCheckpointMeansIt) {
  SmallLlama small;
  small.type = Q8_0;
  small.tied = true;
  import(small.builder());
  std::string expected =
      "module attributes {llama.checkpoint = \"blake3:" +
      checkpoint->identity() +
      R"mlir(", )mlir"
      R"mlir(llama.config = #llama.config<dim = 64, heads = 4, kv_heads = 2, head_size = 16, )mlir"
      R"mlir(hidden = 96, vocabulary = 5, layers = 2, context_length = 128>} {
  llama.weight @token_embd : 5x64 formats [#llama.q8_0]
  llama.weight @output_norm : 64 formats [#llama.f32]
  llama.weights @blk layers 2 {
    llama.weight @attn_norm : 64 formats [#llama.f32]
    llama.weight @attn_q : 64x64 formats [#llama.q8_0]
    llama.weight @attn_k : 32x64 formats [#llama.q8_0]
    llama.weight @attn_v : 32x64 formats [#llama.q8_0]
    llama.weight @attn_output : 64x64 formats [#llama.q8_0]
    llama.weight @ffn_norm : 64 formats [#llama.f32]
    llama.weight @ffn_gate : 96x64 formats [#llama.q8_0]
    llama.weight @ffn_up : 96x64 formats [#llama.q8_0]
    llama.weight @ffn_down : 64x96 formats [#llama.q8_0]
  }
  llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer], of = [0, 0]>] lm_heads [@lm_head]
  func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x64xf32> {
    %w = llama.weight_ref @token_embd : !llama.weight<5x64, #llama.q8_0>
    %x = llama.embed %ids, %w : tensor<?xi32>, !llama.weight<5x64, #llama.q8_0> -> tensor<?x64xf32>
    return %x : tensor<?x64xf32>
  }
  func.func private @layer(%x: tensor<?x64xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x2x16, f32>, %l: index) -> tensor<?x64xf32> {
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : !llama.weight<64, #llama.f32>
    %h = llama.rms_norm %x, %g0 eps 9.765625E-4 : tensor<?x64xf32>, !llama.weight<64, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : !llama.weight<64x64, #llama.q8_0>
    %wk = llama.weight_ref @blk::@attn_k[%l] : !llama.weight<32x64, #llama.q8_0>
    %wv = llama.weight_ref @blk::@attn_v[%l] : !llama.weight<32x64, #llama.q8_0>
    %q = llama.linear %h, %wq : tensor<?x64xf32>, !llama.weight<64x64, #llama.q8_0> -> tensor<?x64xf32>
    %k = llama.linear %h, %wk : tensor<?x64xf32>, !llama.weight<32x64, #llama.q8_0> -> tensor<?x32xf32>
    %v = llama.linear %h, %wv : tensor<?x64xf32>, !llama.weight<32x64, #llama.q8_0> -> tensor<?x32xf32>
    %qr = llama.rope %q, %pos base 5.0e+04 heads 4 : tensor<?x64xf32>, tensor<?xi32>
    %kr = llama.rope %k, %pos base 5.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : !llama.cache<2x2x16, f32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
    %a = llama.attention %qr, %kv[%l], %pos causal heads 4 : tensor<?x64xf32>, !llama.cache<2x2x16, f32>, tensor<?xi32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : !llama.weight<64x64, #llama.q8_0>
    %o = llama.linear %a, %wo : tensor<?x64xf32>, !llama.weight<64x64, #llama.q8_0> -> tensor<?x64xf32>
    %x1 = llama.add %x, %o : tensor<?x64xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : !llama.weight<64, #llama.f32>
    %h1 = llama.rms_norm %x1, %g1 eps 9.765625E-4 : tensor<?x64xf32>, !llama.weight<64, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : !llama.weight<96x64, #llama.q8_0>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : !llama.weight<96x64, #llama.q8_0>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : !llama.weight<64x96, #llama.q8_0>
    %g = llama.linear %h1, %wg : tensor<?x64xf32>, !llama.weight<96x64, #llama.q8_0> -> tensor<?x96xf32>
    %u = llama.linear %h1, %wu : tensor<?x64xf32>, !llama.weight<96x64, #llama.q8_0> -> tensor<?x96xf32>
    %s = llama.swiglu %g, %u : tensor<?x96xf32>
    %d = llama.linear %s, %wd : tensor<?x96xf32>, !llama.weight<64x96, #llama.q8_0> -> tensor<?x64xf32>
    %x2 = llama.add %x1, %d : tensor<?x64xf32>
    return %x2 : tensor<?x64xf32>
  }
  func.func private @lm_head(%x: tensor<?x64xf32>) -> tensor<?x5xf32> {
    %g = llama.weight_ref @output_norm : !llama.weight<64, #llama.f32>
    %h = llama.rms_norm %x, %g eps 9.765625E-4 : tensor<?x64xf32>, !llama.weight<64, #llama.f32>
    %w = llama.weight_ref @token_embd : !llama.weight<5x64, #llama.q8_0>
    %y = llama.linear %h, %w : tensor<?x64xf32>, !llama.weight<5x64, #llama.q8_0> -> tensor<?x5xf32>
    return %y : tensor<?x5xf32>
  }
})mlir";
  auto parsed = mlir::parseSourceString<mlir::ModuleOp>(expected, &context);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(print(*module), print(*parsed));
}

TEST_F(ImportTest, AnUntiedHeadHasItsOwnWeight) {
  SmallLlama small;
  small.type = F16;
  std::string text = print(import(small.builder()));
  EXPECT_NE(text.find("llama.weight @output : 5x64 formats [#llama.f16]"),
            std::string::npos);
  EXPECT_NE(text.find("llama.weight_ref @output :"), std::string::npos);
}

TEST_F(ImportTest, AlternatingTypesMakeAFunctionEach) {
  SmallLlama small;
  small.type = F16;
  small.layers = 4;
  GGUFBuilder builder = small.builder();
  // Layers: plain, v in F32, v and down in F32, as the second.
  for (const char *name : {"blk.1.attn_v.weight", "blk.2.attn_v.weight",
                           "blk.3.attn_v.weight", "blk.2.ffn_down.weight"})
    builder.at(name).type = F32;
  std::string text = print(import(builder));
  EXPECT_NE(text.find("llama.weight @attn_v : 32x64 formats [#llama.f16, "
                      "#llama.f32] of [0, 1, 1, 1]\n"),
            std::string::npos);
  EXPECT_NE(text.find("llama.weight @ffn_down : 64x96 formats [#llama.f16, "
                      "#llama.f32] of [0, 0, 1, 0]\n"),
            std::string::npos);
  EXPECT_NE(text.find("llama.weight @attn_q : 64x64 formats [#llama.f16]\n"),
            std::string::npos);
  EXPECT_EQ(printFirst<ModelOp>(), "llama.model @m entries [#llama.entry<name "
                                   "= \"import\", rows = 0, embed = @embed, "
                                   "layers = [@layer.0, @layer.1, @layer.2], "
                                   "of = [0, 1, 2, 1]>] lm_heads [@lm_head]");
  EXPECT_EQ(text.find("func private @layer("), std::string::npos);
}

TEST_F(ImportTest, SignaturesComeInTheOrderOfTheirFirstLayer) {
  SmallLlama small;
  small.layers = 3;
  GGUFBuilder builder = small.builder();
  builder.at("blk.0.attn_k.weight").type = F16;
  import(builder);
  LayerSignatures found = findLayerSignatures(*checkpoint);
  ASSERT_EQ(found.distinct.size(), 2u);
  EXPECT_EQ(found.typeOf(0, checkpoint::Role::AttnK),
            static_cast<checkpoint::TensorType>(F16));
  EXPECT_EQ(found.typeOf(1, checkpoint::Role::AttnK),
            checkpoint::TensorType::F32);
  EXPECT_EQ(found.of, (std::vector<int32_t>{0, 1, 1}));
}

TEST_F(ImportTest, AHeadSizeNeedNotBeDimOverHeads) {
  SmallLlama small;
  small.headSize = 24;
  std::string text = print(import(small.builder()));
  EXPECT_NE(text.find("llama.weight @attn_q : 96x64 "), std::string::npos);
  EXPECT_NE(text.find("llama.weight @attn_output : 64x96 "), std::string::npos);
  EXPECT_NE(text.find("!llama.cache<2x2x24, f32>"), std::string::npos);
}

TEST_F(ImportTest, AVocabularyOfOneIsStillAMatrix) {
  SmallLlama small;
  small.vocab = 1;
  std::string text = print(import(small.builder()));
  EXPECT_NE(text.find("llama.weight @token_embd : 1x64 "), std::string::npos);
}

TEST_F(ImportTest, EveryTypeHasItsFormat) {
  context.loadDialect<LlamaDialect>();
  for (const FormatFacts &facts : allFormats()) {
    auto type = static_cast<checkpoint::TensorType>(facts.ggmlType);
    FormatInterface format = formatOf(context, type);
    EXPECT_EQ(format.getName(), checkpoint::getName(type).lower());
    EXPECT_EQ(format.getBlock(), checkpoint::getFacts(type).block);
    EXPECT_EQ(format.getBlockBytes(), checkpoint::getFacts(type).blockBytes);
  }
}

TEST_F(ImportTest, EveryDeclarationNamesATensorAndEveryTensorIsDeclared) {
  import(SmallLlama().builder());
  size_t declared = 0;
  module->walk([&](WeightOp weight) {
    for (int64_t layer = 0; layer < weight.getCount(); ++layer, ++declared) {
      const checkpoint::TensorInfo *tensor =
          findTensor(*checkpoint, weight, layer);
      ASSERT_TRUE(tensor) << weight.getSymName().str() << " " << layer;
      EXPECT_EQ(static_cast<uint64_t>(weight.getRows()), tensor->rows);
      EXPECT_EQ(static_cast<uint64_t>(weight.getColumns()), tensor->columns);
    }
  });
  EXPECT_EQ(declared, checkpoint->tensors().size());
}

TEST_F(ImportTest, LocationsNameTheTensor) {
  import(SmallLlama().builder());
  std::vector<std::string> names;
  module->walk([&](LinearOp op) {
    names.push_back(mlir::cast<mlir::NameLoc>(op.getLoc()).getName().str());
  });
  EXPECT_EQ(names, (std::vector<std::string>{
                       "blk.*.attn_q.weight", "blk.*.attn_k.weight",
                       "blk.*.attn_v.weight", "blk.*.attn_output.weight",
                       "blk.*.ffn_gate.weight", "blk.*.ffn_up.weight",
                       "blk.*.ffn_down.weight", "output.weight"}));
}

TEST_F(ImportTest, TwoImportsAreEqual) {
  GGUFBuilder builder = SmallLlama().builder();
  std::string first = print(import(builder));
  mlir::MLIRContext other;
  EXPECT_EQ(first, print(*importCheckpoint(other, *checkpoint)));
}

} // namespace
