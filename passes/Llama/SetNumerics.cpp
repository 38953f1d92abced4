//===- SetNumerics.cpp - which rows are rounded, and to what --------------===//
//
// From a graph on float32 rows to one where each rounding stands as an op of
// its own. A pass of its own because numerics are part of what is computed:
// they are written down before fusion, and everything after obeys them.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/CarriedOptions.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/Planner.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMASETNUMERICS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// Says of each product what its rows are and why.
static void remarkRows(LinearOp linear, Type element) {
  auto function = linear->getParentOfType<FunctionOpInterface>();
  auto options = remark::RemarkOpts::name("activations")
                     .category("llama-numerics")
                     .function(function ? function.getName() : StringRef());
  std::string format = linear.getWeight().getType().getFormat().getName().str();
  auto record = dyn_cast_or_null<RowRecordInterface>(element);
  if (element)
    remark::passed(linear.getLoc(), options)
        << remark::add("rows of a product by {0} weights are rounded to {1}",
                       format, record ? record.getName() : "bf16")
        << remark::reason(record
                              ? "its quants are integers with a scale a block"
                              : "its numbers are bf16 too");
  else
    remark::missed(linear.getLoc(), options)
        << remark::add("rows of a product by {0} weights stay float32", format)
        << remark::reason("the format has no quants");
}

namespace {
struct SetNumerics : corellama::llama::impl::LlamaSetNumericsBase<SetNumerics> {
  using LlamaSetNumericsBase::LlamaSetNumericsBase;

  void runOnOperation() override {
    std::string rows = obeyOption(getOperation(), "activations", activations);
    const bool pairs = rows == "bf16" || rows == kAMXActivations;
    if (!pairs && !llvm::is_contained({"auto", "f32", "q8", "x24"}, rows)) {
      getOperation().emitError()
          << "activations is '" << rows
          << "', expected auto, f32, q8, x24, bf16 or amx";
      return signalPassFailure();
    }
    SmallVector<LinearOp> linears;
    getOperation().walk([&](LinearOp linear) {
      if (linear.getX().getType().getElementType().isF32())
        linears.push_back(linear);
    });
    if (rows == "f32" || linears.empty())
      return;

    // All are asked before one is changed: a table may look at a linear's
    // neighbours.
    SmallVector<Type> wanted;
    if (rows != "auto") {
      RowRecordInterface record = Q8B32Type::get(&getContext());
      if (rows == "x24")
        record = X24B32Type::get(&getContext());
      for (LinearOp linear : linears) {
        wanted.push_back(getRoundedRows(linear, record, pairs));
        remarkRows(linear, wanted.back());
      }
    } else {
      FailureOr<PlannerInterface> planner = getPlanner(getOperation());
      if (failed(planner))
        return signalPassFailure();
      for (LinearOp linear : linears)
        wanted.push_back(planner->getRowsType(linear));
    }

    // One rounding a value, type and block: its readers share it.
    llvm::DenseMap<std::tuple<Value, Type, Block *>, QuantizeOp> roundings;
    for (auto [linear, element] : llvm::zip_equal(linears, wanted)) {
      if (!element)
        continue;
      QuantizeOp &rounding =
          roundings[{linear.getX(), element, linear->getBlock()}];
      if (!rounding) {
        OpBuilder builder(linear);
        rounding = QuantizeOp::create(builder, linear.getLoc(),
                                      linear.getX().getType().clone(element),
                                      linear.getX());
      }
      linear.getXMutable().assign(rounding.getResult());
    }
  }
};
} // namespace
