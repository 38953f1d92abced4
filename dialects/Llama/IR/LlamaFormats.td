//===- LlamaFormats.td - what the bytes of a weight mean ------------------===//
//
// One attribute a format of weights. Their facts (block, fields, places) are in
// LlamaFormats.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS

include "dialects/Llama/IR/LlamaAttributeBase.td"

class Llama_Format<string name, string attrMnemonic>
    : Llama_Attr<name, attrMnemonic,
                 [DeclareAttrInterfaceMethods<Llama_FormatInterface>]>;

def Llama_F32Attr : Llama_Format<"F32", "f32"> {
  let summary = "IEEE 754 binary32";
  let description = [{
    Four bytes, little endian; no blocks and no scale.
  }];
}
def Llama_F16Attr : Llama_Format<"F16", "f16"> {
  let summary = "IEEE 754 binary16";
  let description = [{
    Two bytes, little endian; no blocks and no scale.
  }];
}
def Llama_BF16Attr : Llama_Format<"BF16", "bf16"> {
  let summary = "the upper half of a binary32";
  let description = [{
    Two bytes, little endian: sign, exponent and 7 bits of a binary32; no blocks and no scale.
  }];
}
def Llama_Q8_0Attr : Llama_Format<"Q8_0", "q8_0"> {
  let summary = "blocks of 32: value = scale * quant, 8-bit signed quants";
  let description = [{
    34 bytes a block (ggml's `block_q8_0`): an f16 scale, then 32 signed bytes.
  }];
}
def Llama_Q4_0Attr : Llama_Format<"Q4_0", "q4_0"> {
  let summary = "blocks of 32: value = scale * (quant - 8), 4-bit quants";
  let description = [{
    18 bytes a block (ggml's `block_q4_0`): an f16 scale, then 16 bytes; byte j
    has column j in its low and column j + 16 in its high nibble.
  }];
}
def Llama_Q4_1Attr : Llama_Format<"Q4_1", "q4_1"> {
  let summary = "blocks of 32: value = scale * quant + minimum, 4-bit quants";
  let description = [{
    20 bytes a block (ggml's `block_q4_1`): an f16 scale, an f16 minimum, then
    16 bytes with nibbles as in Q4_0.
  }];
}
def Llama_Q6_KAttr : Llama_Format<"Q6_K", "q6_k"> {
  let summary = "blocks of 256 in 16 parts: value = d * scale * (quant - 32), 6-bit quants";
  let description = [{
    210 bytes a block (ggml's `block_q6_K`): 128 bytes with the low four bits of
    the quants, 64 with the high two, 16 signed 8-bit scales (one for 16
    columns), an f16 d. With column c = 128 h + 32 g + i (h < 2, g < 4, i < 32):
    low bits in byte 64 h + 32 (g mod 2) + i, low nibble for g < 2; high bits in
    byte 32 h + i from bit 2 g; scale 8 h + 2 g + i / 16.
  }];
}

#endif
