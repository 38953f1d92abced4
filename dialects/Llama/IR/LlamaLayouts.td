//===- LlamaLayouts.td - the order of bytes in the image ------------------===//
//
// One attribute a layout of weights or of the cache. Where each field lies is in
// LlamaLayouts.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMALAYOUTS
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMALAYOUTS

include "dialects/Llama/IR/LlamaAttributeBase.td"

class Llama_Layout<string name, string attrMnemonic, list<Trait> traits = []>
    : Llama_Attr<name, attrMnemonic,
                 [DeclareAttrInterfaceMethods<Llama_LayoutInterface>] # traits>;

def Llama_KVCacheLayoutAttr : Attr<
    CPred<"::llvm::isa<::corellama::llama::KVCacheLayoutInterface>($_self)">,
    "a layout of the cache"> {
  let storageType = "::corellama::llama::KVCacheLayoutInterface";
  let returnType = "::corellama::llama::KVCacheLayoutInterface";
  let convertFromStorage = "$_self";
}

def Llama_RowMajorAttr : Llama_Layout<"RowMajor", "rowmajor",
    [DeclareAttrInterfaceMethods<Llama_KVCacheLayoutInterface>]> {
  let summary = "rows follow each other, each in the checkpoint's own blocks";
  let description = [{
    For weights: the bytes of the checkpoint. For the cache: positions of a head
    follow each other, the elements of each contiguous, padded to 16; in q8_0 each
    position is its blocks, as in a checkpoint: an f16 scale, then 32 quants.
  }];
}
def Llama_Interleaved16Attr : Llama_Layout<"Interleaved16", "interleaved16"> {
  let summary = "groups of 16 rows interleaved, one contiguous stream each";
  let description = [{
    A group of 16 rows (the last one padded with zeros) is one contiguous stream;
    groups follow each other. In a group blocks of columns ascend, so that a
    worker reads memory in order along k. `k` consecutive columns of a row are
    contiguous, then come the next row's: 16 rows x 4 bytes of quants are one
    512-bit vector, whose 32-bit lane r belongs to row r.

    Quants (k = 4), one block of 32 columns of 16 rows:
    ```
    Q4_0 288 B: | 16 f16 scales | P0 .. P3 |    Pp: byte 4r+j: low nibble row r,
    Q4_1 320 B: | scales | 16 f16 minima | P0 .. P3 |  column 4p+j; high nibble
                                                       column 16+4p+j
    Q8_0 544 B: | scales | Q0 .. Q7 |           Qp: byte 4r+j: row r, column 4p+j
    ```
    Q6_K (k = 4), 16 rows x 256 columns, 3360 bytes: 16 f16 d, 16 groups of 16
    scales (signed bytes, row r of group s at 16 s + r), then for each pair of
    16-column groups (2t, 2t + 1): 4 vectors of 64 bytes whose byte 4r+j holds
    the low four bits of columns 32t+4p+j (low nibble) and 32t+16+4p+j (high
    nibble), then 2 vectors of 64 bytes for the high two bits: byte 4r+j of
    vector v holds columns 32t + 16v + {0, 4, 8, 12} + j from bits 0, 2, 4, 6.

    In general a block is its scales and minima (whole bytes, or a power of two of
    bits), those that cover the most columns first, and then for each 32 columns
    each plane of quants, `bits` vectors of 64 bytes. Quants that share a byte are
    16 columns apart if they have 4 bits, 4 columns apart if they have 1 or 2.

    Plain numbers: F32 and F16 with k = 1: column c of the group is 16
    consecutive numbers. BF16 with k = 2: a pair of columns (2p, 2p+1) of row r
    is one 32-bit lane; an odd last column is padded with zero.
  }];
  let parameters = (ins "int64_t":$k);
  let extraClassDeclaration = [{
    /// The layout with the k that the format has.
    static Interleaved16Attr getFor(FormatInterface format);
  }];
  let assemblyFormat = "`<` `k` `=` $k `>`";
}
def Llama_RowMajorSplitAttr : Llama_Layout<"RowMajorSplit", "rowmajor_split"> {
  let summary = "row by row, quants apart from scales, each plane's row padded to 16 bytes";
  let description = [{
    One region for each plane, in the format's order; in a region rows follow
    each other, each padded to 16 bytes, so that a warp reads 16 bytes a lane
    from aligned addresses. Inside a row fields ascend with their columns. Of
    quants, 32 columns are 16 bytes of 4-bit fields: byte j has columns j and
    16 + j; 8 bytes of 2-bit fields: byte 4 h + j has columns
    16 h + {0, 4, 8, 12} + j from bits 0, 2, 4, 6; 4 bytes of 1-bit fields: byte j
    has columns {0, 4, ..., 28} + j from bits 0 to 7.
  }];
}
def Llama_KeysInterleaved16Attr : Llama_Attr<"KeysInterleaved16", "keys_interleaved16",
    [DeclareAttrInterfaceMethods<Llama_KVCacheLayoutInterface>]> {
  let summary = "the cache's keys: groups of 16 positions, element by element";
  let description = [{
    A group of 16 positions of a head is [head size][16 positions] elements: a
    vector holds the same element of 16 positions, so scores need no sum across
    lanes. Nothing is padded. In q8_0 each block of 32 elements is [16] scales in
    f16, then [32][16] quants, 544 bytes.
  }];
}

#endif
