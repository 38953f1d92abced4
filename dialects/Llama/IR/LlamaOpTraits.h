//===- LlamaOpTraits.h - what an op is to the kernel that holds it --------===//
//
// The C++ side of the traits of LlamaOpTraits.td, which says what each means.
// They carry no code: passes ask `op->hasTrait<IsElementwise>()`.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPTRAITS_H
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPTRAITS_H

#include "mlir/IR/OpDefinition.h"

namespace corellama::llama {

template <typename ConcreteOp>
struct IsProduct : mlir::OpTrait::TraitBase<ConcreteOp, IsProduct> {};
template <typename ConcreteOp>
struct IsElementwise : mlir::OpTrait::TraitBase<ConcreteOp, IsElementwise> {};
template <typename ConcreteOp>
struct IsRowPrologue : mlir::OpTrait::TraitBase<ConcreteOp, IsRowPrologue> {};
template <typename ConcreteOp>
struct IsSink : mlir::OpTrait::TraitBase<ConcreteOp, IsSink> {};

} // namespace corellama::llama

#endif // CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPTRAITS_H
