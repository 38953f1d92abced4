//===- ByteForm.h - quants as the bytes of a product ----------------------===//
//
// A target's instructions for products of bytes, and what #cpu.dot_u8s8 makes
// of a format's quants for them, in registers (DotU8S8.cpp) or in a panel.
// Private to passes/CPU/Units.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_UNITS_BYTEFORM_H
#define CORELLAMA_PASSES_CPU_UNITS_BYTEFORM_H

#include "passes/CPU/Units/RoundedRows.h"

namespace corellama::cpu {

/// The instructions of a target: lanes of 32 bits of one, whether it adds in
/// them (vpdpbusd) or in 16 bits first (vpmaddubsw), and whether there are 32
/// registers of such lanes, or 16.
struct DotForm {
  int64_t lanes;
  bool isDot, hasAllRegisters;

  static DotForm of(TargetAttr target) {
    auto has = [&](llvm::StringRef name) {
      return llama::hasFeature(target, name);
    };
    if (has("avx512vnni") && target.getVectorBits() >= 512)
      return {16, true, true};
    return {8, hasByteDot(target), has("avx512vl")};
  }
};

/// How a quant becomes the unsigned byte of a product: less `zero`, which the
/// sum of x is multiplied by; or, where vpmaddubsw could not add two such
/// products, its size, and x gets its sign, or in a panel its halves, the lower
/// and the upper four bits, each a product of its own.
struct ByteForm {
  bool keepsSigns;
  int32_t zero;
  /// The largest such byte, or half of one.
  int64_t largest;
  int64_t halves = 1;

  /// Vectors of products that 16 bits hold the sum of, pairs of +-127 * quant.
  size_t mostProducts() const {
    return static_cast<size_t>(INT16_MAX / (largest * 2 * 127));
  }

  static ByteForm of(const llama::FormatFacts &facts, DotForm form) {
    auto [least, greatest] = facts.quantRange();
    if (!form.isDot && !addsBytePairs(facts))
      return {true, 0, std::max(-least, greatest)};
    // Values of a table may take any zero: that of the sums in a record saves a
    // multiplication.
    if (form.isDot && !facts.planes.front().table.empty())
      least = llama::RowRecordInterface::kSumFactor;
    return {false, least, greatest - least};
  }

  /// Of a panel: its bytes may have any zero as well.
  static ByteForm ofPanel(const llama::FormatFacts &facts, TargetAttr target) {
    BytePanel panel = panelOf(facts, target);
    if (panel.isHalved)
      return {/*keepsSigns=*/false, panel.zero, /*largest=*/15, /*halves=*/2};
    ByteForm form = of(facts, DotForm::of(target));
    if (panel.zero)
      form.zero = panel.zero;
    return form;
  }

  /// What stands in a panel: bytes that are less what the sum in a record is
  /// times already, or the quants themselves, which matrices multiply and of
  /// which vpmaddubsw adds more.
  static BytePanel panelOf(const llama::FormatFacts &facts, TargetAttr target) {
    DotForm form = DotForm::of(target);
    ByteForm bytes = of(facts, form);
    if (bytes.keepsSigns)
      return {llama::RowRecordInterface::kSumFactor, /*isHalved=*/true};
    bool isLess = form.isDot && !hasByteMatrices(target) && bytes.zero;
    return {isLess ? llama::RowRecordInterface::kSumFactor : 0};
  }
};

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_UNITS_BYTEFORM_H
