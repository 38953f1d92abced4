//===- CUDAAttributes.td - GPUs as targets, how kernels run on them -------===//
//
// The target that the driver sets on a module, the strategy that plan writes on
// its kernels, and the units that a strategy can name. Facts only: the table of
// strategies is passes/CUDA/CUDAPlanner.cpp, the code of a unit is in
// passes/CUDA/Units.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CUDA_IR_CUDAATTRIBUTES
#define CORELLAMA_DIALECTS_CUDA_IR_CUDAATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "dialects/CUDA/IR/CUDABase.td"

class CUDA_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<CUDA_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def CUDA_TargetAttr : CUDA_Attr<"Target", "target", [Llama_TargetInterface]> {
  let summary = "an NVIDIA GPU";
  let description = [{
    `name` as on the command line ("cuda:sm_80"), `features` in LLVM's spelling
    ("+ptx80"), `workgroup_bytes`, the most workgroup memory of a block (0: not
    known).
  }];
  let parameters = (ins StringRefParameter<"the name on the command line">:$name,
    StringRefParameter<"in LLVM's spelling", "\"\"">:$features,
    DefaultValuedParameter<"int64_t", "0">:$workgroup_bytes);
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    ::llvm::StringRef getBackend() const { return "cuda"; }
  }];
}

def CUDA_StrategyAttr : CUDA_Attr<"Strategy", "strategy", [Llama_StrategyInterface]> {
  let summary = "how a kernel runs on a GPU";
  let description = [{
    `unit`: the instructions that multiply. `threads`: of a block, a power of
    two from 32 to 1024. `m` x `n`: the tile of a block. `k`: the columns of one
    stage in shared memory; `stages`: how many stages there are.
  }];
  let parameters = (ins
    "::corellama::llama::ContractionUnitInterface":$unit, "int64_t":$threads,
    DefaultValuedParameter<"int64_t", "1">:$m,
    DefaultValuedParameter<"int64_t", "0">:$n,
    DefaultValuedParameter<"int64_t", "0">:$k,
    DefaultValuedParameter<"int64_t", "1">:$stages
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getValueGroups(int64_t rows) const;
  }];
}

def CUDA_SimtAttr : CUDA_Attr<"Simt", "simt",
    [DeclareAttrInterfaceMethods<Llama_ContractionUnitInterface>]> {
  let summary = "float32 fused multiply-add, the lanes of a warp along k";
  let description = [{
    Each lane takes 16 bytes of quants of each of its warp's weight rows at a time,
    converts them to float32 and multiplies them by float32 rows; a tree adds the lanes. It
    reads every format that `passes/CUDA/WeightChunks` can load. There are no panels:
    workgroup memory is too small for them, a block reads rows again from the caches; and
    no sums of blocks, whose terms each lane holds in registers anyway.
  }];
}

def CUDA_MmaAttr : CUDA_Attr<"Mma", "mma",
    [DeclareAttrInterfaceMethods<Llama_ContractionUnitInterface>]> {
  let summary = "tensor cores: mma.sync on f16, sums in float32";
  let description = [{
    Multiplies weights that are exact as f16, so that only the rows of x are rounded: f16,
    and quants of up to 8 bits with a scale for 16 or 32 columns, and a minimum perhaps. A
    block decodes into workgroup memory inside its loop over k, so no panel is needed; sums
    of x, which minima multiply, are products by ones. With `rows` bf16 it multiplies bf16
    weights by rows of bf16.
  }];
  let parameters = (ins OptionalParameter<"::mlir::Type", "bf16, or null: f16">:$rows);
  let assemblyFormat = "(`<` $rows^ `>`)?";
  let genVerifyDecl = 1;
}

def CUDA_MmaSplitAttr : CUDA_Attr<"MmaSplit", "mma_split",
    [DeclareAttrInterfaceMethods<Llama_ContractionUnitInterface>]> {
  let summary = "tensor cores on one float32 row, which is split into two f16";
  let description = [{
    Multiplies 16 rows of a weight whose quants are integers, exact as f16, by one row of
    float32, of which each value is a sum of two f16 and a power of two that 32 columns
    share. Its products are those of float32 but for 2^-22 of each (docs/bits.md), so its
    rows are float32, and it needs half as many instructions as `#cuda.simt`: a quant need
    not become a float. Formats with a table of quants, or with more than two scales in 16
    bytes of quants, it does not multiply.
  }];
}

#endif
