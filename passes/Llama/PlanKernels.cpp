//===- PlanKernels.cpp - how each kernel runs -----------------------------===//
//
// From kernels to kernels with strategy, partition and orders of summation. The
// decisions are the target's table; this pass asks, applies overrides and has
// verified (PlanInvariants) what must hold whatever the table says.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/PlanInvariants.h"
#include "passes/Llama/TargetStrategy.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAPLANKERNELS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

//===----------------------------------------------------------------------===//
// Overrides
//===----------------------------------------------------------------------===//

using Overrides = llvm::MapVector<StringAttr, Attribute>;

/// "qkv=#llama.cpu<m = 4>;o=..." to strategies by name.
static FailureOr<Overrides> parseOverrides(StringRef text, ModuleOp module) {
  Overrides overrides;
  SmallVector<StringRef> entries;
  text.split(entries, ';', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef entry : entries) {
    // Attributes have '=' too, names do not.
    auto [name, value] = entry.split('=');
    name = name.trim();
    value = value.trim();
    Attribute strategy = value.empty()
                             ? Attribute()
                             : parseAttribute(value, module.getContext());
    if (name.empty() || !strategy)
      return module.emitError() << "override '" << entry.trim()
                                << "' is not of the form NAME=ATTRIBUTE, as in "
                                   "qkv=#llama.cpu<m = 4>";
    overrides[StringAttr::get(module.getContext(), name)] = strategy;
  }
  return overrides;
}

/// A name that no kernel has is a slip of the user's.
static LogicalResult expectNamesOfKernels(const Overrides &overrides,
                                          ArrayRef<KernelOp> kernels,
                                          ModuleOp module) {
  llvm::SmallSetVector<StringRef, 8> names;
  for (KernelOp kernel : kernels)
    names.insert(kernel.getName());
  for (const auto &[name, strategy] : overrides)
    if (!names.contains(name.getValue()))
      return module.emitError() << "override of '" << name.getValue()
                                << "': no kernel has that name; there are "
                                << llvm::join(names, ", ");
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct PlanKernels : corellama::llama::impl::LlamaPlanKernelsBase<PlanKernels> {
  using LlamaPlanKernelsBase::LlamaPlanKernelsBase;

  void runOnOperation() override {
    if (failed(planAll(getOperation())))
      signalPassFailure();
  }

  LogicalResult planAll(ModuleOp module) {
    SmallVector<KernelOp> kernels;
    module.walk([&](KernelOp kernel) { kernels.push_back(kernel); });
    FailureOr<TargetStrategy> strategy = getTargetStrategy(module);
    if (failed(strategy))
      return failure();
    FailureOr<Overrides> parsed = parseOverrides(overrides, module);
    if (failed(parsed) ||
        failed(expectNamesOfKernels(*parsed, kernels, module)))
      return failure();

    for (KernelOp kernel : kernels)
      if (failed(
              plan(kernel, *strategy, parsed->lookup(kernel.getNameAttr()))) ||
          failed(order(kernel, *strategy)))
        return failure();
    return verifyPlanInvariants(module);
  }

  static LogicalResult plan(KernelOp kernel, const TargetStrategy &strategy,
                            Attribute wanted) {
    // The kernel carries an override when the table is asked, so that the
    // partition fits it.
    if (wanted && !isStrategyOf(strategy, wanted))
      return kernel.emitOpError()
             << "\"" << kernel.getName() << "\": override " << wanted
             << " is no strategy of family "
             << stringifyFamily(strategy.target.getFamily());
    if (wanted)
      kernel.setStrategyAttr(wanted);
    else
      kernel.removeStrategyAttr();
    KernelPlan plan = strategy.table.plan(strategy.target, kernel);
    auto partition = dyn_cast_or_null<PartitionAttr>(plan.partition);
    if (!plan.error.empty() || !plan.strategy || !partition)
      return kernel.emitOpError()
             << "\"" << kernel.getName() << "\": "
             << (plan.error.empty() ? "the target has no strategy for it"
                                    : plan.error);
    kernel.setStrategyAttr(wanted ? wanted : plan.strategy);
    kernel.setPartitionAttr(partition);
    auto function = kernel->getParentOfType<FunctionOpInterface>();
    remark::passed(kernel.getLoc(),
                   remark::RemarkOpts::name("strategy")
                       .category("llama-plan")
                       .function(function ? function.getName() : StringRef()))
        << remark::add("{0}", kernel.getName().str())
        << remark::reason("{0}", wanted ? "override" : "the target's table")
        << remark::metric("Strategy", kernel.getStrategyAttr());
    return success();
  }

  static LogicalResult order(KernelOp kernel, const TargetStrategy &strategy) {
    for (Operation &op : kernel.getBody().front()) {
      if (!isa<LinearOp, RmsNormOp, AttentionOp, AttentionPartOp>(op))
        continue;
      auto order = dyn_cast_or_null<ReductionOrderAttr>(
          strategy.table.getOrder(strategy.target, &op));
      if (!order)
        return op.emitOpError() << "in kernel \"" << kernel.getName()
                                << "\": the target says no order for its sums";
      op.setAttr("order", order);
    }
    return success();
  }
};
} // namespace
