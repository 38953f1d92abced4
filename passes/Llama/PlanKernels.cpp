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
#include "passes/Llama/CarriedOptions.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/PlanInvariants.h"
#include "passes/Llama/Planner.h"
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

using Overrides = llvm::MapVector<StringAttr, StrategyInterface>;

/// "qkv=#cpu.strategy<unit = #cpu.fma, m = 4, n = 16>;o=..." to strategies by
/// name.
static FailureOr<Overrides> parseOverrides(StringRef text, ModuleOp module) {
  Overrides overrides;
  SmallVector<StringRef> entries;
  text.split(entries, ';', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef entry : entries) {
    // Attributes have '=' too, names do not.
    auto [name, value] = entry.split('=');
    name = name.trim();
    value = value.trim();
    auto strategy = dyn_cast_or_null<StrategyInterface>(
        value.empty() ? Attribute()
                      : parseAttribute(value, module.getContext()));
    if (name.empty() || !strategy)
      return module.emitError()
             << "override '" << entry.trim()
             << "' is not of the form NAME=ATTRIBUTE, as in "
                "qkv=#cpu.strategy<unit = #cpu.fma, m = 4, n = 16>";
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
    FailureOr<PlannerInterface> planner = getPlanner(module);
    if (failed(planner))
      return failure();
    std::string tuning = obeyOption(module, "strategy", strategy);
    if (tuning != "tuned" && tuning != "plain")
      return module.emitError()
             << "the strategy is tuned or plain, found " << tuning;
    FailureOr<Overrides> parsed = parseOverrides(overrides, module);
    if (failed(parsed) ||
        failed(expectNamesOfKernels(*parsed, kernels, module)))
      return failure();

    for (KernelOp kernel : kernels)
      if (failed(plan(kernel, *planner, tuning == "plain",
                      parsed->lookup(kernel.getNameAttr()))) ||
          failed(order(kernel, *planner)))
        return failure();
    return verifyPlanInvariants(module);
  }

  static LogicalResult plan(KernelOp kernel, PlannerInterface planner,
                            bool isPlain, StrategyInterface wanted) {
    KernelPlan plan = planner.plan(kernel);
    auto strategy = dyn_cast_or_null<StrategyInterface>(plan.strategy);
    if (isPlain && strategy) {
      strategy = dyn_cast_or_null<StrategyInterface>(strategy.getPlain());
      if (!strategy)
        return kernel.emitOpError()
               << "\"" << kernel.getName()
               << "\": the target has no plain strategies; take the tuned ones";
    }
    if (wanted)
      strategy = wanted;
    if (!plan.error.empty() || !strategy)
      return kernel.emitOpError()
             << "\"" << kernel.getName() << "\": "
             << (plan.error.empty() ? "the target has no strategy for it"
                                    : plan.error);
    kernel.setStrategyAttr(strategy);
    kernel.setPartitionAttr(makePartition(kernel.getBody().front(), strategy,
                                          plan.by, plan.rowsBy));
    auto function = kernel->getParentOfType<FunctionOpInterface>();
    remark::passed(kernel.getLoc(),
                   remark::RemarkOpts::name("strategy")
                       .category("llama-plan")
                       .function(function ? function.getName() : StringRef()))
        << remark::add("{0}", kernel.getName().str())
        << remark::reason("{0}", wanted    ? "override"
                                 : isPlain ? "plain"
                                           : "the target's table")
        << remark::metric("Strategy", kernel.getStrategyAttr());
    return success();
  }

  /// Products sum as the kernel's unit does, all else as the target says.
  static LogicalResult order(KernelOp kernel, PlannerInterface planner) {
    ContractionUnitInterface unit =
        cast<StrategyInterface>(kernel.getStrategyAttr()).getUnit();
    for (Operation &op : kernel.getBody().front()) {
      auto reduction = dyn_cast<ReductionOpInterface>(op);
      if (!reduction)
        continue;
      ReductionOrderAttr order;
      if (auto linear = dyn_cast<LinearOp>(op)) {
        FormatInterface format = linear.getWeight().getType().getFormat();
        order = dyn_cast_or_null<ReductionOrderAttr>(unit.getOrder(format));
        if (!order)
          return op.emitOpError()
                 << "in kernel \"" << kernel.getName() << "\": the unit "
                 << unit << " does not multiply " << format.getName()
                 << " weights";
      } else {
        order = dyn_cast_or_null<ReductionOrderAttr>(planner.getOrder(&op));
        if (!order)
          return op.emitOpError()
                 << "in kernel \"" << kernel.getName()
                 << "\": the target says no order for its sums";
      }
      reduction.setOrderAttr(order);
    }
    return success();
  }
};
} // namespace
