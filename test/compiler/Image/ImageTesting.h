//===- ImageTesting.h - a small module that an image can be made of -------===//
//
// The bytes of a small checkpoint -> the checkpoint and a module with what
// planImage reads of phase `llvm`: declarations with layouts, cache layout,
// target, program. Shared by the tests of planning, writing and attaching.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_COMPILER_IMAGE_IMAGETESTING_H
#define CORELLAMA_TEST_COMPILER_IMAGE_IMAGETESTING_H

#include "compiler/Image/Image.h"
#include "compiler/Import/Import.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Builders.h"
#include "test/compiler/Checkpoint/GGUFBuilder.h"
#include "gtest/gtest.h"

namespace corellama::test {

/// The layout that CPU targets give a format.
inline llama::LayoutInterface layoutFor(llama::FormatInterface format,
                                        bool isVector) {
  mlir::MLIRContext *context = format.getContext();
  if (isVector)
    return llama::RowMajorAttr::get(context);
  if (format.getName() == "f32" || format.getName() == "f16")
    return llama::Interleaved16Attr::get(context, 1);
  return llama::Interleaved16Attr::get(context,
                                       format.getName() == "bf16" ? 2 : 4);
}

class PlannedModel {
public:
  explicit PlannedModel(const GGUFBuilder &builder,
                        llvm::StringRef path = "folder/m.gguf") {
    auto read = checkpoint::readCheckpoint(
        llvm::MemoryBuffer::getMemBufferCopy(builder.build(), path));
    if (!read) {
      ADD_FAILURE() << llvm::toString(read.takeError());
      std::abort();
    }
    checkpoint.emplace(std::move(*read));
    module = importCheckpoint(context, *checkpoint);
    place();
  }

  /// What the image says of text.
  static const runtime::TextData &text() {
    static const runtime::TextData text = [] {
      runtime::TextData text;
      text.whyNone = "a small model reads none";
      text.ends = {1, 5};
      return text;
    }();
    return text;
  }
  llvm::Expected<image::ImagePlan> plan() {
    return image::planImage(*module, *checkpoint, text(), "0.1.0");
  }
  /// A plan that must succeed.
  image::ImagePlan goodPlan() {
    auto planned = plan();
    if (!planned) {
      ADD_FAILURE() << llvm::toString(planned.takeError());
      std::abort();
    }
    return std::move(*planned);
  }
  /// The message of a plan that must fail.
  std::string refusal() {
    auto planned = plan();
    if (planned) {
      ADD_FAILURE() << "was planned";
      return "";
    }
    return llvm::toString(planned.takeError());
  }
  std::vector<uint8_t> write(const image::ImagePlan &plan) {
    std::vector<uint8_t> bytes(plan.header.bytes);
    llvm::Error error = image::writeImage(plan, *checkpoint, bytes);
    EXPECT_FALSE(static_cast<bool>(error));
    llvm::consumeError(std::move(error));
    return bytes;
  }

  llama::WeightOp weight(llvm::StringRef name) {
    llama::WeightOp found;
    module->walk([&](llama::WeightOp op) {
      if (op.getSymName() == name)
        found = op;
    });
    return found;
  }

  mlir::MLIRContext context;
  std::optional<checkpoint::Checkpoint> checkpoint;
  mlir::OwningOpRef<mlir::ModuleOp> module;

private:
  void place() {
    context.loadDialect<cpu::CPUDialect>(); // the target and strategies
    mlir::OpBuilder builder(&context);
    module->walk([&](llama::WeightOp op) {
      llvm::SmallVector<mlir::Attribute> layouts;
      for (auto format : op.getFormats().getAsRange<llama::FormatInterface>())
        layouts.push_back(layoutFor(format, op.getShape().size() == 1));
      op.setLayoutsAttr(builder.getArrayAttr(layouts));
    });
    builder.setInsertionPointToStart(module->getBody());
    const checkpoint::ModelConfig &config = checkpoint->config();
    auto cache =
        llama::CacheType::get(&context,
                              {int64_t(config.layers), int64_t(config.kvHeads),
                               int64_t(config.headSize)},
                              builder.getF16Type());
    llama::CacheLayoutOp::create(builder, builder.getUnknownLoc(),
                                 mlir::TypeAttr::get(cache),
                                 llama::KeysInterleaved16Attr::get(&context),
                                 llama::RowMajorAttr::get(&context),
                                 /*rings=*/mlir::DenseI64ArrayAttr());
    llama::RopeTableOp::create(builder, builder.getUnknownLoc(),
                               builder.getI64IntegerAttr(config.headSize),
                               builder.getF64FloatAttr(config.ropeBase),
                               /*rotation=*/llama::RotationAttr());
    auto set = [&](llvm::StringRef name, llvm::StringRef text) {
      (*module)->setAttr(name, mlir::parseAttribute(text, &context));
    };
    set("llama.target", "#cpu.target<name = \"x86-64-v3\", features = "
                        "\"+avx2,+fma\", vector_bits = 256>");
    set("llama.options", "{activations = \"f32\"}");
    set("llama.program",
        "{workspace_bytes = 4096 : i64, scratch_bytes = 128 : i64, "
        "logits_offset = 0 : i64, entries = [{name = \"decode\", rows = 1 : "
        "i64}, "
        "{name = \"prefill\", rows = 512 : i64}], lm_heads = []}");
    set("llama.kernels",
        "[{name = \"qkv.decode\", function = @layer, parts = @qkv.parts, "
        "scratch_bytes = 64 : i64}]");
  }
};

} // namespace corellama::test

#endif // CORELLAMA_TEST_COMPILER_IMAGE_IMAGETESTING_H
