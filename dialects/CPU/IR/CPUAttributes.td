//===- CPUAttributes.td - CPUs as targets, how kernels run on them --------===//
//
// The target that the driver stamps on a module, the strategy that plan writes
// on its kernels, and the units that a strategy can name. Facts only: the table
// of strategies is passes/CPU/CPUPlanner.cpp, the code of a unit is in
// passes/CPU/Units.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUATTRIBUTES
#define CORELLAMA_DIALECTS_CPU_IR_CPUATTRIBUTES

include "mlir/IR/AttrTypeBase.td"
include "dialects/CPU/IR/CPUBase.td"

class CPU_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<CPU_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def CPU_TargetAttr : CPU_Attr<"Target", "target", [Llama_TargetInterface]> {
  let summary = "an x86-64 CPU";
  let description = [{
    `name` as on the command line, `features` in LLVM's spelling ("+avx2,+fma"),
    and `vector_bits`, the widest vector that code should use (128, 256 or 512; LLVM
    splits what the features have no registers for).
  }];
  let parameters = (ins StringRefParameter<"the name on the command line">:$name,
    StringRefParameter<"in LLVM's spelling", "\"\"">:$features,
    "int64_t":$vector_bits);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    ::llvm::StringRef getBackend() const { return "cpu"; }
  }];
}

def CPU_StrategyAttr : CPU_Attr<"Strategy", "strategy", [Llama_StrategyInterface]> {
  let summary = "how a kernel runs on a CPU";
  let description = [{
    `unit`: what multiplies; `m` x `n`: rows of x by rows of the weight in one
    register tile. `sums`: how many times 16 floats attention sums in registers
    while it goes along the keys; a tile of more rows takes fewer elements of the
    head at once. `prefetch`: how many bytes ahead of its use a product fetches a weight, or
    attention keys and values; 0 leaves that to the hardware.
  }];
  let parameters = (ins "::corellama::llama::ContractionUnitInterface":$unit,
                        "int64_t":$m, "int64_t":$n,
                        DefaultValuedParameter<"int64_t", "16">:$sums,
                        DefaultValuedParameter<"int64_t", "0">:$prefetch);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getValueGroups(int64_t rows) const;
    ::mlir::Attribute getPlain() const;
  }];
}

def CPU_FmaAttr : CPU_Attr<"Fma", "fma",
    [DeclareAttrInterfaceMethods<Llama_ContractionUnitInterface,
                                 ["getFeatures", "usesPanels", "needsBlockSums"]>]> {
  let summary = "float32 fused multiply-add on vectors";
  let description = [{
    Quants are converted to float32 and multiplied by float32 rows; any format.
  }];
}

def CPU_DotU8S8Attr : CPU_Attr<"DotU8S8", "dot_u8s8",
    [DeclareAttrInterfaceMethods<Llama_ContractionUnitInterface,
                                 ["getFeatures", "usesPanels"]>]> {
  let summary = "exact sums of products of bytes";
  let description = [{
    Quants are multiplied by rows of `!llama.q8b32`, or, as `#cpu.dot_u8s8<digits = 3>`,
    by rows of `!llama.x24b32`, as bytes and summed exactly, digit by digit and
    a scale block at a time, then scaled into a float32 accumulator. Formats of
    quants with scales, with minima or without. By `vpdpbusd` where the target
    has it (AVX-512 VNNI, AVX-VNNI), else by `vpmaddubsw` (AVX2); the bits are
    the same. Quants in one plane are multiplied where they stand; of those in several
    (Q5_0, Q6_K) a prompt's rows are multiplied by panels of bytes and float32
    scales, and so are, by `vpmaddubsw`, quants of 8 bits, as two halves (Q8_0,
    IQ4_NL). The sums of blocks stand in the rows. Tiles of 16 rows of x are multiplied
    as matrices (AMX), from panels, with the same bits again.
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "1",
                            "of a row's integers (RowRecordInterface)">:$digits);
  let assemblyFormat = "(`<` `digits` `=` $digits^ `>`)?";
  let genVerifyDecl = 1;
}

def CPU_DotBF16Attr : CPU_Attr<"DotBF16", "dot_bf16",
    [DeclareAttrInterfaceMethods<Llama_ContractionUnitInterface, ["getFeatures"]>]> {
  let summary = "products of bfloat16, summed in float32";
  let description = [{
    Two columns at once of BF16 weights, where they stand, and of rows of bf16,
    by `vdpbf16ps` (AVX512_BF16: Intel SDM, volume 2). One chain of sums a
    result, without panels.
  }];
}

def CPU_AMXBF16Attr : CPU_Attr<"AMXBF16", "amx_bf16",
    [DeclareAttrInterfaceMethods<Llama_ContractionUnitInterface, ["getFeatures"]>]> {
  let summary = "products of bfloat16 in matrices, summed in float32";
  let description = [{
    As `#cpu.dot_bf16`, in the order in which `tdpbf16ps` sums 32 columns (AMX:
    Intel SDM, volume 2): even ones and odd ones in a chain each. Tiles of at least 16
    rows of x are computed by it, those of few rows in the same order by vectors,
    which read a weight as fast as memory gives it.
  }];
}

#endif
