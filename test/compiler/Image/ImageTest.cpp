//===- ImageTest.cpp - planning and writing an image ----------------------===//
//
// Small checkpoints and their modules -> the image in memory: its header, its
// table, its manifest and its weights; and every module that does not fit its
// checkpoint -> a message, quoted whole.
//
//===----------------------------------------------------------------------===//

#include "ImageTesting.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include <map>
#include <mutex>

using namespace corellama;
using namespace corellama::image;
using namespace corellama::test;

namespace {

llvm::json::Object parseManifest(llvm::StringRef text) {
  auto value = llvm::json::parse(text);
  if (!value || !value->getAsObject()) {
    ADD_FAILURE() << "not a JSON object: " << text.str();
    llvm::consumeError(value.takeError());
    return {};
  }
  return std::move(*value->getAsObject());
}

TEST(ImageTest, TheHeaderSaysWhatTheRuntimeNeeds) {
  SmallLlama small;
  small.headSize = 24;
  PlannedModel model(small.builder());
  ImagePlan plan = model.goodPlan();
  const corellama::abi::ImageHeader &header = plan.header;
  EXPECT_EQ(memcmp(header.magic, "CLIMAGE1", 8), 0);
  EXPECT_EQ(header.version, corellama::abi::kVersion);
  EXPECT_EQ(header.headerBytes, sizeof(corellama::abi::ImageHeader));
  EXPECT_EQ(header.layers, 2u);
  EXPECT_EQ(header.vocabulary, 5u);
  EXPECT_EQ(header.context, 128u);
  EXPECT_EQ(header.heads, 4u);
  EXPECT_EQ(header.kvHeads, 2u);
  EXPECT_EQ(header.headSize, 24u);
  EXPECT_EQ(header.keyBytes, 2u * 24 * 2);
  EXPECT_EQ(header.valueBytes, 2u * 32 * 2); // padded to 16
  EXPECT_EQ(header.ropeRow, 2u * 48);        // 24 + 15, rounded up to 16
  EXPECT_EQ(header.frequencies.bytes,
            12 * sizeof(corellama::abi::PairRotation));
}

TEST(ImageTest, RingsAreThoseOfTheLayout) {
  SmallLlama small;
  PlannedModel model(small.builder());
  EXPECT_EQ(model.goodPlan().header.rings.bytes, 0u);
  auto layout = *model.module->getOps<llama::CacheLayoutOp>().begin();
  auto set = [&](llvm::ArrayRef<int64_t> rings) {
    layout.setRingsAttr(mlir::DenseI64ArrayAttr::get(&model.context, rings));
  };
  set({0, 768});
  ImagePlan plan = model.goodPlan();
  EXPECT_EQ(plan.header.rings.bytes, 2 * sizeof(uint64_t));
  EXPECT_EQ(plan.rings, (std::vector<uint64_t>{0, 768}));
  EXPECT_NE(plan.manifest.find(R"("rings":[0,768])"), std::string::npos);
}

TEST(ImageTest, KeysAndValuesAreAsLargeAsTheirLayoutsSay) {
  SmallLlama small;
  small.headSize = 24;
  PlannedModel model(small.builder());
  auto layout = *model.module->getOps<llama::CacheLayoutOp>().begin();
  layout.setKeysAttr(llama::RowMajorAttr::get(&model.context));
  layout.setValuesAttr(llama::KeysInterleaved16Attr::get(&model.context));
  ImagePlan plan = model.goodPlan();
  EXPECT_EQ(plan.header.keyBytes, 2u * 32 * 2); // padded to 16
  EXPECT_EQ(plan.header.valueBytes, 2u * 24 * 2);
}

TEST(ImageTest, RangesAreAlignedAndFollowEachOther) {
  PlannedModel model(SmallLlama().builder());
  ImagePlan plan = model.goodPlan();
  const corellama::abi::ImageHeader &header = plan.header;
  uint64_t end = sizeof(header);
  for (const corellama::abi::ImageRange &range :
       {header.offsets, header.frequencies, header.manifest, header.text,
        header.weights}) {
    EXPECT_EQ(range.offset % 64, 0u);
    EXPECT_GE(range.offset, end);
    end = range.offset + range.bytes;
  }
  EXPECT_EQ(header.weights.offset % 4096, 0u);
  EXPECT_EQ(header.bytes, end);
  EXPECT_EQ(header.offsets.bytes, 8 * model.checkpoint->tensors().size());
}

TEST(ImageTest, TheTableLeadsToEachWeightInItsLayout) {
  SmallLlama small;
  small.type = Q4_0;
  small.layers = 3;
  GGUFBuilder builder = small.builder();
  builder.at("blk.1.attn_v.weight").type = Q8_0;
  builder.at("blk.2.ffn_down.weight").type = BF16;
  PlannedModel model(builder);
  ImagePlan plan = model.goodPlan();
  std::vector<uint8_t> bytes = model.write(plan);
  const corellama::abi::ImageHeader &header = plan.header;

  std::vector<bool> used(header.weights.bytes);
  size_t seen = 0;
  model.module->walk([&](llama::WeightOp op) {
    int64_t index = llama::getWeightTableIndex(*model.module, op);
    for (int64_t layer = 0; layer < op.getCount(); ++layer, ++seen) {
      uint64_t offset = llvm::support::endian::read64le(
          bytes.data() + header.offsets.offset + 8 * (index + layer));
      EXPECT_EQ(offset % 64, 0u);
      const checkpoint::TensorInfo *tensor =
          findTensor(*model.checkpoint, op, layer);
      SCOPED_TRACE(tensor->name);
      llama::FormatInterface format = op.getFormat(layer);
      llama::LayoutInterface layout = op.getLayout(layer);
      auto packer = llvm::cantFail(
          Packer::create(format, layout, tensor->rows, tensor->columns));
      std::vector<uint8_t> expected(packer.bytes());
      packer.pack(0, packer.tileCount(), model.checkpoint->bytes(*tensor),
                  expected);
      ASSERT_LE(offset + expected.size(), header.weights.bytes);
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                             bytes.begin() + header.weights.offset + offset));
      for (uint64_t b = 0; b < expected.size(); ++b) {
        ASSERT_FALSE(used[offset + b]);
        used[offset + b] = true;
      }
    }
  });
  EXPECT_EQ(seen, model.checkpoint->tensors().size());
  // What lies between weights is zero.
  for (uint64_t b = 0; b < used.size(); ++b)
    ASSERT_TRUE(used[b] || bytes[header.weights.offset + b] == 0) << b;
}

// Weights of more than one task, whose tiles of 16 rows are 8800 bytes: what
// the second task packs begins and ends inside of 64 bytes.
TEST(ImageTest, WeightsAreWrittenOnceAndWithoutGaps) {
  SmallLlama small;
  small.type = Q3_K;
  small.layers = 1;
  small.dim = 1280;
  small.heads = small.kvHeads = 20;
  small.headSize = 64;
  small.hidden = 2048;
  PlannedModel model(small.builder());
  ImagePlan plan = model.goodPlan();
  const corellama::abi::ImageRange &weights = plan.header.weights;
  std::mutex guard;
  std::map<uint64_t, uint64_t> pieces; // their ends by their begins
  llvm::cantFail(
      writeImage(plan, *model.checkpoint,
                 [&](uint64_t offset, llvm::ArrayRef<uint8_t> bytes) {
                   std::lock_guard<std::mutex> lock(guard);
                   if (offset >= weights.offset)
                     pieces[offset] = offset + bytes.size();
                   return llvm::Error::success();
                 }));
  EXPECT_GT(pieces.size(), plan.weights.size());
  uint64_t end = weights.offset;
  for (auto [first, last] : pieces) {
    EXPECT_EQ(first, end);
    end = last;
  }
  EXPECT_EQ(end, weights.offset + weights.bytes);
}

TEST(ImageTest, TheRuntimeReadsTheText) {
  PlannedModel model(SmallLlama().builder());
  ImagePlan plan = model.goodPlan();
  std::vector<uint8_t> bytes = model.write(plan);
  const auto &range = plan.header.text;
  auto text =
      runtime::TextData::parse({bytes.data() + range.offset, range.bytes});
  ASSERT_TRUE(text) << text.error();
  EXPECT_EQ(text->whyNone, model.text().whyNone);
  EXPECT_EQ(text->ends, model.text().ends);
}

TEST(ImageTest, TheManifestSaysHowItWasMade) {
  SmallLlama small;
  small.type = F16;
  PlannedModel model(small.builder());
  // As conversion leaves it: the kernel's function still has its partition.
  mlir::SymbolTable::lookupSymbolIn(*model.module, "layer")
      ->setAttr(llama::kPartitionAttr,
                mlir::parseAttribute(
                    "#llama.partition<of = keys, by = 256, times = 3>",
                    &model.context));
  ImagePlan plan = model.goodPlan();
  llvm::json::Object manifest = parseManifest(plan.manifest);
  auto text = [&](llvm::StringRef object, llvm::StringRef key) {
    return manifest.getObject(object)->getString(key)->str();
  };
  auto number = [&](llvm::StringRef object, llvm::StringRef key) {
    return manifest.getObject(object)->getInteger(key);
  };
  EXPECT_EQ(text("checkpoint", "name"), "m.gguf");
  EXPECT_EQ(text("checkpoint", "blake3"), model.checkpoint->identity());
  EXPECT_EQ(text("target", "name"), "x86-64-v3");
  EXPECT_EQ(text("target", "features"), "+avx2,+fma");
  EXPECT_EQ(text("cache", "type_k"), "f16");
  EXPECT_EQ(text("cache", "type_v"), "f16");
  EXPECT_EQ(text("cache", "keys"), "#llama.keys_interleaved16");
  EXPECT_EQ(text("compiler", "version"), "0.1.0");
  EXPECT_EQ(text("compiler", "llvm").substr(0, 3), "22.");
  EXPECT_EQ(manifest.getString("activations"), "f32");
  EXPECT_EQ(manifest.getBoolean("decode_equals_prefill"), true);
  const llvm::json::Array *rows = manifest.getArray("rows");
  ASSERT_TRUE(rows);
  EXPECT_EQ(*rows, llvm::json::Array({1, 512}));
  EXPECT_EQ(number("config", "hidden"), 96);
  EXPECT_EQ(number("memory", "weights"), int64_t(plan.header.weights.bytes));
  EXPECT_EQ(number("memory", "workspace"), 4096);
  EXPECT_EQ(number("memory", "scratch"), 128);
  EXPECT_EQ(number("memory", "cache_per_position"),
            int64_t(2 * (plan.header.keyBytes + plan.header.valueBytes)));
  // 128 positions are half a block.
  EXPECT_EQ(number("memory", "cache"),
            256 * *number("memory", "cache_per_position"));

  const llvm::json::Object &kernel =
      *manifest.getArray("kernels")->front().getAsObject();
  EXPECT_EQ(kernel.getString("name"), "qkv.decode");
  EXPECT_EQ(kernel.getString("symbol"), "layer");
  EXPECT_EQ(kernel.getString("parts"), "(keys ceildiv 256) * 3");
  EXPECT_EQ(kernel.getInteger("scratch"), 64);

  const llvm::json::Array &tensors = *manifest.getArray("tensors");
  ASSERT_EQ(tensors.size(), model.checkpoint->tensors().size());
  std::string tensor;
  llvm::raw_string_ostream(tensor) << tensors[2];
  EXPECT_EQ(tensor, "{\"bytes\":2048,\"format\":\"f16\",\"layout\":\"#llama."
                    "interleaved16<k = 1>\","
                    "\"name\":\"output.weight\",\"shape\":[5,64]}");
}

TEST(ImageTest, PrefillIsDecodeWhereBothRoundTheSameRows) {
  PlannedModel model(SmallLlama().builder());
  for (auto [activations, isSame] :
       {std::pair("f32", true), std::pair("q8b32", true),
        std::pair("auto", false)}) {
    mlir::Builder builder(model.module->getContext());
    (*model.module)
        ->setAttr("llama.options",
                  builder.getDictionaryAttr(builder.getNamedAttr(
                      "activations", builder.getStringAttr(activations))));
    auto plan = llvm::cantFail(model.plan());
    EXPECT_EQ(parseManifest(plan.manifest).getBoolean("decode_equals_prefill"),
              isSame)
        << activations;
  }
}

TEST(ImageTest, TheSameCheckpointElsewhereGivesTheSameImage) {
  GGUFBuilder builder = SmallLlama().builder();
  PlannedModel here(builder, "here/m.gguf"),
      there(builder, "/over/there/m.gguf");
  EXPECT_EQ(here.write(here.goodPlan()), there.write(there.goodPlan()));
}

TEST(ImageTest, TheModuleMayGoOnceItIsPlanned) {
  PlannedModel model(SmallLlama().builder());
  std::vector<uint8_t> expected = model.write(model.goodPlan());
  ImagePlan plan = model.goodPlan();
  model.module = {};
  EXPECT_EQ(model.write(plan), expected);
}

//===----------------------------------------------------------------------===//
// Modules that do not fit
//===----------------------------------------------------------------------===//

struct BadModule {
  const char *name;
  void (*breakIt)(PlannedModel &);
  const char *message;
};
void PrintTo(const BadModule &bad, std::ostream *out) { *out << bad.name; }

class ImageRefuses : public testing::TestWithParam<BadModule> {};

mlir::Attribute parse(PlannedModel &model, llvm::StringRef text) {
  return mlir::parseAttribute(text, &model.context);
}

const BadModule kBadModules[] = {
    {"AnotherConfig",
     [](PlannedModel &model) { (*model.module)->removeAttr("llama.config"); },
     "module: its llama.config is not the checkpoint's; compile the checkpoint "
     "anew"},
    {"NoTarget",
     [](PlannedModel &model) { (*model.module)->removeAttr("llama.target"); },
     "module: has no llama.target; run the phases up to `llvm`"},
    {"NoProgram",
     [](PlannedModel &model) { (*model.module)->removeAttr("llama.program"); },
     "module: has no llama.program; run the phases up to `llvm`"},
    {"NoKernels",
     [](PlannedModel &model) { (*model.module)->removeAttr("llama.kernels"); },
     "module: has no llama.kernels; run the phases up to `llvm`"},
    {"AKernelWithoutAName",
     [](PlannedModel &model) {
       (*model.module)
           ->setAttr("llama.kernels", parse(model, "[{function = @layer}]"));
     },
     "module: llama.kernels: an entry has no name or no function"},
    {"ANegativeSize",
     [](PlannedModel &model) {
       (*model.module)
           ->setAttr(
               "llama.program",
               parse(model,
                     "{workspace_bytes = -1 : i64, scratch_bytes = 0 : i64, "
                     "entries = [], lm_heads = []}"));
     },
     "module: llama.program: workspace_bytes is missing or no count of 64 "
     "bits; run the phases "
     "up to `llvm`"},
    {"NoCacheLayout",
     [](PlannedModel &model) {
       (*model.module->getOps<llama::CacheLayoutOp>().begin()).erase();
     },
     "module: has 0 llama.cache_layout, expected one; run the phases from "
     "`plan` on"},
    {"ACacheOfAnotherModel",
     [](PlannedModel &model) {
       (*model.module->getOps<llama::CacheLayoutOp>().begin())
           .setType(
               llama::CacheType::get(&model.context, {2, 1, 16},
                                     mlir::Float16Type::get(&model.context)));
     },
     "module: llama.cache_layout: is of 2 x 1 x 16, the checkpoint asks for 2 "
     "x 2 x 16"},
    {"NoRopeTable",
     [](PlannedModel &model) {
       (*model.module->getOps<llama::RopeTableOp>().begin()).erase();
     },
     "module: has 0 llama.rope_table, expected one; run the phases from `tile` "
     "on"},
    {"ARopeTableOfOtherHeads",
     [](PlannedModel &model) {
       (*model.module->getOps<llama::RopeTableOp>().begin()).setHead(32);
     },
     "module: llama.rope_table: is for heads of 32, the checkpoint asks for "
     "16"},
    {"AWeightWithoutALayout",
     [](PlannedModel &model) { model.weight("attn_q").removeLayoutsAttr(); },
     "module: 'blk.0.attn_q.weight': has no layout; run the phases from "
     "`plan` on"},
    {"AnotherShape",
     [](PlannedModel &model) { model.weight("attn_q").setShape({16, 64}); },
     "module: 'blk.0.attn_q.weight': is declared as 16 x 64 in f32, the "
     "checkpoint has 64 x 64 "
     "in F32"},
    {"AnotherFormat",
     [](PlannedModel &model) {
       model.weight("attn_q").setFormatsAttr(
           mlir::cast<mlir::ArrayAttr>(parse(model, "[#llama.f16]")));
     },
     "module: 'blk.0.attn_q.weight': is declared as 64 x 64 in f16, the "
     "checkpoint has 64 x 64 "
     "in F32"},
    {"AnUnknownWeight",
     [](PlannedModel &model) {
       model.weight("output_norm").setSymName("gain");
     },
     "module: 'gain.weight': is declared, the checkpoint has no such tensor"},
    {"AnotherNumberOfLayers",
     [](PlannedModel &model) {
       (*model.module->getOps<llama::WeightsOp>().begin()).setLayers(INT64_MAX);
     },
     "module: @blk has 9223372036854775807 layers, the checkpoint has 2"},
};

TEST_P(ImageRefuses, WithAMessage) {
  PlannedModel model(SmallLlama().builder());
  GetParam().breakIt(model);
  EXPECT_EQ(model.refusal(), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Modules, ImageRefuses, testing::ValuesIn(kBadModules),
                         [](const auto &info) { return info.param.name; });

TEST(ImageTest, AnotherCheckpointIsRefusedByBothNames) {
  SmallLlama small;
  small.vocab = 6;
  PlannedModel model(SmallLlama().builder()),
      other(small.builder(), "other.gguf");
  auto plan =
      planImage(*model.module, *other.checkpoint, model.text(), "0.1.0");
  ASSERT_FALSE(static_cast<bool>(plan));
  EXPECT_EQ(llvm::toString(plan.takeError()),
            "module: is of checkpoint blake3:" + model.checkpoint->identity() +
                ", other.gguf is blake3:" + other.checkpoint->identity() +
                "; compile each checkpoint from its own module");
}

TEST(ImageTest, ABufferOfAnotherSizeIsRefused) {
  PlannedModel model(SmallLlama().builder());
  ImagePlan plan = model.goodPlan();
  std::vector<uint8_t> bytes(plan.header.bytes - 1);
  llvm::Error error = writeImage(plan, *model.checkpoint, bytes);
  EXPECT_EQ(llvm::toString(std::move(error)),
            "module: its image has " + std::to_string(plan.header.bytes) +
                " bytes, given are " + std::to_string(plan.header.bytes - 1));
}

} // namespace
