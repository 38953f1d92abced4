//===- KernelFunction.cpp - a kernel as a function ------------------------===//
//
// See KernelFunction.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/KernelFunction.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "passes/Llama/LayerCaches.h"
#include "passes/Llama/PlanInvariants.h"

using namespace mlir;
using namespace corellama::llama;

FailureOr<OwningOpRef<func::FuncOp>> corellama::llama::makeKernelFunction(
    KernelOp kernel, bool takesLayer,
    function_ref<Value(OpBuilder &, Value, Value)> provide,
    const llvm::DenseMap<Value, BufferOp> &bufferOf) {
  OpBuilder builder(kernel.getContext());
  SmallVector<Type> arguments(takesLayer, builder.getIndexType());
  OwningOpRef<func::FuncOp> function =
      func::FuncOp::create(kernel.getLoc(), kernel.getName(),
                           builder.getFunctionType(arguments, {}));
  function->setPrivate();
  (*function)->setAttr(kStrategyAttr, kernel.getStrategyAttr());
  (*function)->setAttr(kPartitionAttr, kernel.getPartitionAttr());
  if (Attribute rows = kernel->getParentOp()->getAttr(kRowsAttr))
    (*function)->setAttr(kRowsAttr, rows);
  builder.setInsertionPointToStart(function->addEntryBlock());
  Value layer = takesLayer ? function->getArgument(0) : Value();

  IRMapping inside;
  for (auto [input, argument] :
       llvm::zip(kernel.getInputs(), kernel.getBody().getArguments())) {
    Value value = provide(builder, input, layer);
    Operation *constant = input.getDefiningOp();
    if (!value && constant && matchPattern(constant, m_Constant()))
      value = builder.clone(*constant)->getResult(0);
    if (!value)
      return kernel.emitOpError()
             << "\"" << kernel.getName() << "\" takes a " << input.getType()
             << " that neither a kernel nor the runtime "
             << "provides";
    inside.map(argument, value);
  }

  auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
  for (Operation &op : kernel.getBody().front().without_terminator())
    builder.clone(op, inside);
  Reads reads = readsOf(*function);
  if (reads.weights)
    (*function)->setAttr(kReadsAttr, reads.weights);
  if (reads.cache)
    (*function)->setAttr(kReadsCacheAttr, reads.cache);
  if (reads.ring)
    (*function)->setAttr(kRingAttr, reads.ring);
  for (auto [result, yielded] :
       llvm::zip(kernel.getResults(), yield.getValues())) {
    BufferOp buffer = bufferOf.lookup(result);
    auto isOverwritten = [&](BufferReadOp read) {
      return read.getBuffer() == buffer.getSymName();
    };
    if (llvm::any_of(function->getOps<BufferReadOp>(), isOverwritten))
      return kernel.emitOpError()
             << "\"" << kernel.getName() << "\" would write buffer @"
             << buffer.getSymName()
             << ", which it reads; no part may overwrite what another reads";
    BufferWriteOp::create(
        builder, kernel.getLoc(), inside.lookupOrDefault(yielded),
        FlatSymbolRefAttr::get(buffer.getSymNameAttr()), IntegerAttr());
  }
  func::ReturnOp::create(builder, kernel.getLoc());
  return function;
}
