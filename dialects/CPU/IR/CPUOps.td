//===- CPUOps.td - what CPU kernels need beside upstream's vectors --------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUOPS
#define CORELLAMA_DIALECTS_CPU_IR_CPUOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/CPU/IR/CPUAttributes.td"

// An instruction, which LLVM has as an intrinsic. `intrinsic` is a C++ expression
// for its name; the op's operands are the intrinsic's, in this order.
class CPU_Op<string opMnemonic, string intrinsic, list<Trait> traits = []>
    : Llama_PhasedOp<CPU_Dialect, opMnemonic, Llama_VectorPhases, [Pure] # traits> {
  let extraClassDeclaration = "::llvm::StringRef getIntrinsic() { return " # intrinsic # "; }";
}

// The three vectors of AVX2's integer products, 256 bits each.
class CPU_Vector256<int lanes, int width, Type element>
    : VectorOfLengthAndType<[lanes], [element]>,
      BuildableType<"::mlir::VectorType::get({" # lanes # "}, $_builder.getIntegerType(" # width # "))">;
def CPU_Bytes : CPU_Vector256<32, 8, I8>;
def CPU_Words : CPU_Vector256<16, 16, I16>;
def CPU_Doublewords : CPU_Vector256<8, 32, I32>;

// Two columns of a row, for each of 16 lanes.
def CPU_Pairs
    : VectorOfLengthAndType<[32], [BF16]>,
      BuildableType<"::mlir::VectorType::get({32}, $_builder.getBF16Type())">;

def CPU_Lookup16Op : CPU_Op<"lookup16", "\"llvm.x86.avx512.permvar.sf.512\"",
    [AllTypesMatch<["table", "result"]>]> {
  let summary = "table[index mod 16], lane by lane: vpermps";
  let description = [{
    `result[i] = table[index[i] & 15]`. One instruction with AVX-512F (VPERMPS
    with a 512-bit table reads the low four bits of each index: Intel SDM,
    volume 2, VPERMPS), so a 4-bit quant needs no mask, no conversion and no
    subtraction.

    ```mlir
    func.func @f(%t: vector<16xf32>, %i: vector<16xi32>) -> vector<16xf32> {
      %v = cpu.lookup16 %t, %i : vector<16xf32>, vector<16xi32>
      return %v : vector<16xf32>
    }
    ```
  }];
  let arguments = (ins VectorOfLengthAndType<[16], [F32]>:$table,
                       VectorOfLengthAndType<[16], [I32]>:$index);
  let results = (outs VectorOfLengthAndType<[16], [F32]>:$result);
  let assemblyFormat = "$table `,` $index attr-dict `:` type($table) `,` type($index)";
}

def CPU_LookupBytesOp : CPU_Op<"lookup_bytes",
    "getType().getShape()[0] == 64 ? \"llvm.x86.avx512.pshuf.b.512\" : \"llvm.x86.avx2.pshuf.b\"",
    [AllTypesMatch<["table", "index", "result"]>]> {
  let summary = "table[index], byte by byte: vpshufb";
  let description = [{
    `result[i] = table[i / 16 * 16 + index[i] mod 16]` where `index[i]` is below 128,
    else 0: each 16 bytes have a table of their own (Intel SDM, volume 2, PSHUFB). One
    instruction with AVX2 for 32 bytes, with AVX512BW for 64. It turns quants of 4
    bits to the bytes that a table gives them.

    ```mlir
    func.func @f(%t: vector<32xi8>, %i: vector<32xi8>) -> vector<32xi8> {
      %v = cpu.lookup_bytes %t, %i : vector<32xi8>
      return %v : vector<32xi8>
    }
    ```
  }];
  let arguments = (ins VectorOfLengthAndType<[32, 64], [I8]>:$table,
                       VectorOfLengthAndType<[32, 64], [I8]>:$index);
  let results = (outs VectorOfLengthAndType<[32, 64], [I8]>:$result);
  let assemblyFormat = "$table `,` $index attr-dict `:` type($table)";
}

class CPU_FourBytesALane<string operand>
    : TypesMatchWith<"four bytes for each lane", "acc", operand,
        "::mlir::VectorType::get({4 * ::llvm::cast<::mlir::VectorType>($_self).getDimSize(0)}, "
        "::mlir::IntegerType::get($_self.getContext(), 8))">;

// The 256-bit intrinsic becomes the instruction of either extension.
def CPU_DotU8S8Op : CPU_Op<"dot_u8s8",
    "getType().getShape()[0] == 16 ? \"llvm.x86.avx512.vpdpbusd.512\" : \"llvm.x86.avx512.vpdpbusd.256\"",
    [AllTypesMatch<["acc", "result"]>,
    CPU_FourBytesALane<"u">, CPU_FourBytesALane<"s">]> {
  let summary = "acc + four products of bytes a lane: vpdpbusd";
  let description = [{
    `result[i] = acc[i] + sum of u[4 i + j] * s[4 i + j] for j < 4`, bytes of `u`
    unsigned, those of `s` signed, all sums in 32 bits, wrapping (Intel SDM,
    volume 2, VPDPBUSD). One instruction with AVX-512 VNNI, or with AVX-VNNI for 8
    lanes. Upstream's x86vector has it for two signed operands only.

    ```mlir
    func.func @f(%acc: vector<8xi32>, %u: vector<32xi8>, %s: vector<32xi8>) -> vector<8xi32> {
      %v = cpu.dot_u8s8 %acc, %u, %s : vector<8xi32>
      return %v : vector<8xi32>
    }
    ```
  }];
  let arguments = (ins VectorOfLengthAndType<[8, 16], [I32]>:$acc,
                       VectorOfLengthAndType<[32, 64], [I8]>:$u,
                       VectorOfLengthAndType<[32, 64], [I8]>:$s);
  let results = (outs VectorOfLengthAndType<[8, 16], [I32]>:$result);
  let assemblyFormat = "$acc `,` $u `,` $s attr-dict `:` type($acc)";
}

// Upstream's x86vector.avx512.dot is the same instruction; its order of sums,
// which bits depend on, is not part of its meaning.
def CPU_DotBF16Op : CPU_Op<"dot_bf16", "\"llvm.x86.avx512bf16.dpbf16ps.512\"",
    [AllTypesMatch<["acc", "result"]>]> {
  let summary = "acc + two products of bfloat16 a lane: vdpbf16ps";
  let description = [{
    `result[i] = fma(w[2 i], x[2 i], fma(w[2 i + 1], x[2 i + 1], acc[i]))`: the odd
    element first, each fma rounded to nearest even; a subnormal operand counts as
    zero, and a subnormal sum becomes zero (Intel SDM, volume 2, VDPBF16PS). One
    instruction with AVX512_BF16, which can read `x` from memory, two elements for
    all lanes.

    ```mlir
    func.func @f(%acc: vector<16xf32>, %w: vector<32xbf16>, %x: vector<32xbf16>) -> vector<16xf32> {
      %v = cpu.dot_bf16 %acc, %w, %x : vector<16xf32>
      return %v : vector<16xf32>
    }
    ```
  }];
  let arguments = (ins VectorOfLengthAndType<[16], [F32]>:$acc,
                       CPU_Pairs:$w, CPU_Pairs:$x);
  let results = (outs VectorOfLengthAndType<[16], [F32]>:$result);
  let assemblyFormat = "$acc `,` $w `,` $x attr-dict `:` type($acc)";
}

def CPU_MultiplySignsOp : CPU_Op<"multiply_signs", "\"llvm.x86.avx2.psign.b\""> {
  let summary = "bytes times the signs of others: vpsignb";
  let description = [{
    `result[i]` is `x[i]` where `w[i]` is positive, `-x[i]` where it is negative, 0
    where it is 0; bytes are signed, and -128 stays (Intel SDM, volume 2, PSIGNB).
    One instruction with AVX2, whose second operand may be in memory; from a
    comparison and a selection LLVM makes three and keeps another register.

    ```mlir
    func.func @f(%x: vector<32xi8>, %w: vector<32xi8>) -> vector<32xi8> {
      %v = cpu.multiply_signs %x, %w
      return %v : vector<32xi8>
    }
    ```
  }];
  let arguments = (ins CPU_Bytes:$x, CPU_Bytes:$w);
  let results = (outs CPU_Bytes:$result);
  let assemblyFormat = "$x `,` $w attr-dict";
}

def CPU_MultiplyPairsOp : CPU_Op<"multiply_pairs", "\"llvm.x86.avx2.pmadd.ub.sw\""> {
  let summary = "products of bytes, two added: vpmaddubsw";
  let description = [{
    `result[i] = u[2 i] * s[2 i] + u[2 i + 1] * s[2 i + 1]`, bytes of `u`
    unsigned, those of `s` signed; what does not fit into 16 bits becomes the
    nearest number that does (Intel SDM, volume 2, PMADDUBSW). One instruction with
    AVX2. A lowering that needs exact sums must keep
    them within 16 bits.

    ```mlir
    func.func @f(%u: vector<32xi8>, %s: vector<32xi8>) -> vector<16xi16> {
      %v = cpu.multiply_pairs %u, %s
      return %v : vector<16xi16>
    }
    ```
  }];
  let arguments = (ins CPU_Bytes:$u, CPU_Bytes:$s);
  let results = (outs CPU_Words:$result);
  let assemblyFormat = "$u `,` $s attr-dict";
}

def CPU_AddPairsOp : CPU_Op<"add_pairs", "\"llvm.x86.avx2.pmadd.wd\""> {
  let summary = "neighbours of 16 bits, added in 32: vpmaddwd by ones";
  let description = [{
    `result[i] = x[2 i] + x[2 i + 1]`. One instruction with AVX2 (Intel SDM,
    volume 2, PMADDWD); `cpu-to-llvm` adds its other operand, which is all ones.

    ```mlir
    func.func @f(%x: vector<16xi16>) -> vector<8xi32> {
      %v = cpu.add_pairs %x
      return %v : vector<8xi32>
    }
    ```
  }];
  let arguments = (ins CPU_Words:$x);
  let results = (outs CPU_Doublewords:$result);
  let assemblyFormat = "$x attr-dict";
}

#endif
