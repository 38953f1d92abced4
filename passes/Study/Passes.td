//===- Passes.td - a second meaning of ops of the graph -------------------===//
//
// What the study (docs/study) reads and counts: RoPE written out in upstream's
// dialects, in three forms, and the operations of a function. Programs are never
// compiled this way.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_STUDY_PASSES
#define CORELLAMA_PASSES_STUDY_PASSES

include "mlir/Pass/PassBase.td"

defvar RopeDialects = [
  "::mlir::arith::ArithDialect", "::mlir::complex::ComplexDialect",
  "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
  "::mlir::tensor::TensorDialect"];
defvar RopeOptions = [
  Option<"type", "type", "std::string", "\"f32\"",
         "f32, or f64: functions then hold nothing but rope, and take and give rows "
         "of f64">,
  Option<"pairs", "pairs", "std::string", "\"adjacent\"",
         "adjacent: columns 2i and 2i + 1 of a head; half: i and i + d / 2">];

def LlamaRopeToMatrix : Pass<"llama-rope-to-matrix", "::mlir::ModuleOp"> {
  let summary = "llama.rope as a product with a rotation matrix";
  let description = [{
    Phase: import.
    Needs: llama.rope on a static number of rows.
    Leaves: linalg.generic ops: cosines and sines of float64 angles, a matrix of
    d x d for each row, zero outside of its pairs, and its product with each head.
    Never: leaves out a product with zero, so that 0 x inf is NaN.

    EXAMPLE test/passes/Study/llama-rope-to-matrix.mlir @rotate
  }];
  let dependentDialects = RopeDialects;
  let options = RopeOptions;
}

def LlamaRopeToElementwise : Pass<"llama-rope-to-elementwise", "::mlir::ModuleOp"> {
  let summary = "llama.rope as x * cos + partner(x) * signed sin";
  let description = [{
    Phase: import.
    Needs: llama.rope on a static number of rows.
    Leaves: linalg.generic ops: cosines and signed sines of float64 angles for each
    column of a head, and two products and a sum an element, as the compiled op
    computes them.
    Never: changes the order of the two products.

    EXAMPLE test/passes/Study/llama-rope-to-elementwise.mlir @rotate
  }];
  let dependentDialects = RopeDialects;
  let options = RopeOptions;
}

def LlamaRopeToComplex : Pass<"llama-rope-to-complex", "::mlir::ModuleOp"> {
  let summary = "llama.rope as a product of complex numbers";
  let description = [{
    Phase: import.
    Needs: llama.rope on a static number of rows.
    Leaves: linalg.generic ops: e^(i t) of float64 angles, a complex.mul a pair.
    Never: says how a complex product is computed; with convert-complex-to-standard
    use complex-range=basic, four products and two sums.

    EXAMPLE test/passes/Study/llama-rope-to-complex.mlir @rotate
  }];
  let dependentDialects = RopeDialects;
  let options = RopeOptions;
}

def LlamaCountOperations : Pass<"llama-count-operations", "::mlir::ModuleOp"> {
  let summary = "what a call of each function computes, reads and writes";
  let description = [{
    Phase: import.
    Needs: functions of ops of the graph, or of linalg on static shapes.
    Leaves: `study.operations` on each function: exact numbers of multiplications,
    additions (and subtractions), divisions, calls of exp, sqrt, sine and cosine,
    and bytes that are read and written, each op reading each of its operands once.
    Dynamic rows are `rows`, and the first row is at `position`: of keys a row sees
    those up to its own. Comparisons and selections are not counted, nor is what
    rounds rows.
    Never: changes an op.

    EXAMPLE test/passes/Study/llama-count-operations.mlir @attend
  }];
  let options = [
    Option<"rows", "rows", "int64_t", "1", "rows of a call">,
    Option<"position", "position", "int64_t", "0", "the position of the first row">];
}

#endif
