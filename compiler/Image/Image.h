//===- Image.h - from a module to the image behind a program --------------===//
//
// A module of phase `llvm`, with its declarations still in it, and the
// checkpoint it came from -> the image (runtime/ABI/Image.h) and the program
// that carries it. There are three functions because code generation runs
// between them: planImage reads the module, attachImage needs the linked file,
// and writeImage gives tests the image in memory.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMAGE_IMAGE_H
#define CORELLAMA_COMPILER_IMAGE_IMAGE_H

#include "compiler/Checkpoint/Checkpoint.h"
#include "compiler/Image/Packing.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "runtime/ABI/Image.h"
#include "runtime/Tokenizer/TextData.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <memory>
#include <string>
#include <vector>

namespace corellama::image {

/// Weights start at multiples of this: a cache line, and at least the size of
/// any vector.
inline constexpr uint64_t kWeightAlignment = 64;
/// The image, and the weights in it, start on a page of the file and of memory
/// (a large image on a large page, see AttachImage.cpp).
inline constexpr uint64_t kPageBytes = 4096;

/// One weight of one layer: its source tensor, format, layout and offset.
struct ImageWeight {
  const checkpoint::TensorInfo *tensor;
  llama::FormatInterface format;
  llama::LayoutInterface layout;
  /// Shared by all weights of the same format, layout and shape.
  std::shared_ptr<const Packer> packer;
  /// Of the weight's first byte, from the first byte of all weights.
  uint64_t offset;
};

/// The whole image but for the bytes of weights and text. Refers to the text
/// and the checkpoint's tensors, and to attributes of the module's context; the
/// module itself may change or go after planImage.
struct ImagePlan {
  abi::ImageHeader header;
  /// In the order of the table (llama::getWeightTableIndex).
  std::vector<ImageWeight> weights;
  /// The angle by which one position turns each pair of a head.
  std::vector<abi::PairRotation> frequencies;
  /// Positions of each layer's ring, or 0; empty where no layer has one.
  std::vector<uint64_t> rings;
  std::string manifest;
  /// What the text section says.
  const runtime::TextData *text;
};

/// Reads from the module: llama.config, llama.target and llama.checkpoint, the
/// declarations of weights with their layouts, llama.cache_layout,
/// llama.rope_table, and the attributes llama.options, llama.program and
/// llama.kernels. The module may come from an edited file: anything that does
/// not fit the checkpoint is an error. `text` is what the program will know of
/// text; `version` is the compiler's, "0.1.0".
llvm::Expected<ImagePlan> planImage(mlir::ModuleOp module,
                                    const checkpoint::Checkpoint &checkpoint,
                                    const runtime::TextData &text,
                                    llvm::StringRef version);

/// Makes `plan` the image of a program that has the code of `others` as well:
/// its manifest gets their part of theirs, as `variants`. They must agree in
/// all that an image says to the runtime, and in each weight's layout.
llvm::Error addVariants(ImagePlan &plan, llvm::ArrayRef<ImagePlan> others);

/// Takes bytes of an image at an offset; called from several threads at once.
/// What is never written is zero.
using ImageWriter = llvm::function_ref<llvm::Error(
    uint64_t offset, llvm::ArrayRef<uint8_t> bytes)>;

/// Writes the image in pieces of about a megabyte, in any order, each byte at
/// most once. On an error, `write`'s or that of the first row that cannot be
/// converted, the rest is not written.
llvm::Error writeImage(const ImagePlan &plan,
                       const checkpoint::Checkpoint &checkpoint,
                       ImageWriter write);

/// Writes it to memory: plan.header.bytes bytes, zeroed before the call.
llvm::Error writeImage(const ImagePlan &plan,
                       const checkpoint::Checkpoint &checkpoint,
                       llvm::MutableArrayRef<uint8_t> out);

/// Copies the linked program (an ELF executable with a build id) to `output`
/// with the image as its last segment, read-only, starting on a page, and makes
/// it executable. `output` appears whole or not at all. The buffer's name is
/// for messages.
llvm::Error attachImage(const ImagePlan &plan,
                        const checkpoint::Checkpoint &checkpoint,
                        llvm::MemoryBufferRef linked, llvm::StringRef output);

} // namespace corellama::image

#endif // CORELLAMA_COMPILER_IMAGE_IMAGE_H
