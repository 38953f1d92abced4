//===- Passes.td - a second meaning of ops of the graph -------------------===//
//
// What the study (docs/study) reads, counts and compares, and no program is made by.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_STUDY_PASSES
#define CORELLAMA_PASSES_STUDY_PASSES

include "mlir/Pass/PassBase.td"
class Study_Pass<string flag, list<Option> more = []> : Pass<flag, "::mlir::ModuleOp"> {
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::complex::ComplexDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
  let options = [Option<"type", "type", "std::string", "\"f32\"",
    "of numbers, f32 or f64; rows of functions change to it">] # more;
}
class Study_RopePass<string flag> : Study_Pass<flag, [
    Option<"pairs", "pairs", "std::string", "\"adjacent\"",
           "adjacent: columns 2i and 2i + 1 of a head; half: i and i + d / 2">]>;

def LlamaToLinalg : Study_Pass<"llama-to-linalg"> {
  let summary = "ops of the graph as linalg.generic on tensors";
  let description = [{
    Phase: import.
    Needs: functions of the ops that the study runs, on a static number of rows;
    weights are arguments, and attention is behind the append of what it reads.
    Leaves: linalg.generic ops; weights as tensors of numbers, no caches: they were
    empty, so that attention reads the rows that the function appended.
    Never: decodes a weight's format; says in which order programs sum.

    EXAMPLE test/passes/Study/llama-to-linalg.mlir @norm
  }];
}

def LlamaRopeToMatrix : Study_RopePass<"llama-rope-to-matrix"> {
  let summary = "llama.rope as a product with a rotation matrix";
  let description = [{
    Phase: import.
    Needs: llama.rope on a static number of rows.
    Leaves: linalg.generic ops: sines and cosines of float64 angles, a matrix of d x d
    for each row, zero outside of its pairs, and its product with each head.
    Never: leaves out a product with zero, so that 0 x inf is NaN.

    EXAMPLE test/passes/Study/llama-rope-to-matrix.mlir @rotate
  }];
}
def LlamaRopeToElementwise : Study_RopePass<"llama-rope-to-elementwise"> {
  let summary = "llama.rope as x * cos + partner(x) * signed sin";
  let description = [{
    Phase: import.
    Needs: llama.rope on a static number of rows.
    Leaves: linalg.generic ops: sines and cosines of float64 angles, and two products
    and a sum an element, as the compiled op computes them.
    Never: changes the order of the two products.

    EXAMPLE test/passes/Study/llama-rope-to-elementwise.mlir @rotate
  }];
}
def LlamaRopeToComplex : Study_RopePass<"llama-rope-to-complex"> {
  let summary = "llama.rope as a product of complex numbers";
  let description = [{
    Phase: import.
    Needs: llama.rope on a static number of rows.
    Leaves: linalg.generic ops: e^(i t) of float64 angles, a complex.mul a pair.
    Never: says how complex.mul is computed: corellama-study-pipeline does.

    EXAMPLE test/passes/Study/llama-rope-to-complex.mlir @rotate
  }];
}

#endif
