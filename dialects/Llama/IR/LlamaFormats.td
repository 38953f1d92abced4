//===- LlamaFormats.td - what the bytes of a weight mean ------------------===//
//
// One attribute a format of weights. Its facts (block, fields, places, formula)
// are the row of LlamaFormats.cpp that has the attribute's mnemonic as its name.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS

include "dialects/Llama/IR/LlamaAttributeBase.td"

class Llama_Format<string name, string attrMnemonic>
    : Llama_Attr<name, attrMnemonic,
                 [DeclareAttrInterfaceMethods<Llama_FormatInterface>]> {
  let extraClassDefinition = [{
    const ::corellama::llama::FormatFacts &$cppClass::getFacts() const {
      static const FormatFacts &facts = *findFormat(getMnemonic());
      return facts;
    }
  }];
}

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
def Llama_Q5_0Attr : Llama_Format<"Q5_0", "q5_0"> {
  let summary = "blocks of 32: value = scale * (quant - 16), 5-bit quants";
  let description = [{
    22 bytes a block (ggml's `block_q5_0`): an f16 scale, 4 bytes whose bit c is
    the fifth bit of column c, then nibbles as in Q4_0.
  }];
}
def Llama_Q5_1Attr : Llama_Format<"Q5_1", "q5_1"> {
  let summary = "blocks of 32: value = scale * quant + minimum, 5-bit quants";
  let description = [{
    24 bytes a block (ggml's `block_q5_1`): an f16 scale, an f16 minimum, then
    quants as in Q5_0.
  }];
}
def Llama_Q2_KAttr : Llama_Format<"Q2_K", "q2_k"> {
  let summary = "blocks of 256 (16 x 16): value = d * scale * quant - dmin * minimum, 2-bit quants";
  let description = [{
    84 bytes a block (ggml's `block_q2_K`): 16 bytes with the scale (low nibble)
    and the minimum (high) of 16 columns each, 64 bytes of quants, f16 d, f16
    dmin. Column 128 h + 32 g + i (h < 2, g < 4, i < 32) is in byte 32 h + i from
    bit 2 g.
  }];
}
def Llama_Q3_KAttr : Llama_Format<"Q3_K", "q3_k"> {
  let summary = "blocks of 256 (16 x 16): value = d * (scale - 32) * (quant - 4), 3-bit quants";
  let description = [{
    110 bytes a block (ggml's `block_q3_K`): 32 bytes with the third bit of the
    quants (bit b of byte i is of column 32 b + i), 64 with the low two as in
    Q2_K, 16 scales of 6 bits in 12 bytes, an f16 d. Scale s has its low four
    bits in byte s mod 8 (low nibble for s < 8), its high two in byte 8 + s mod 4
    from bit 2 (s / 4).
  }];
}
def Llama_Q4_KAttr : Llama_Format<"Q4_K", "q4_k"> {
  let summary = "blocks of 256 (8 x 32): value = d * scale * quant - dmin * minimum, 4-bit quants";
  let description = [{
    144 bytes a block (ggml's `block_q4_K`): f16 d, f16 dmin, eight scales and
    eight minima of 6 bits in 12 bytes, 128 bytes of quants: byte 32 g + i has
    column 64 g + i low and column 64 g + 32 + i high. Scale s < 4 is the low six
    bits of byte s, minimum s those of byte 4 + s; for s = 4 + t the low four bits
    are in byte 8 + t (scale low, minimum high), the high two are bits 6 and 7 of
    byte t and of byte 4 + t.
  }];
}
def Llama_Q5_KAttr : Llama_Format<"Q5_K", "q5_k"> {
  let summary = "blocks of 256 (8 x 32): value = d * scale * quant - dmin * minimum, 5-bit quants";
  let description = [{
    176 bytes a block (ggml's `block_q5_K`): d, dmin, scales and minima as in
    Q4_K, 32 bytes with the fifth bit of the quants (bit b of byte i is of column
    32 b + i), 128 bytes of nibbles as in Q4_K.
  }];
}
def Llama_Q6_KAttr : Llama_Format<"Q6_K", "q6_k"> {
  let summary = "blocks of 256 (16 x 16): value = d * scale * (quant - 32), 6-bit quants";
  let description = [{
    210 bytes a block (ggml's `block_q6_K`): 128 bytes with the low four bits of
    the quants, 64 with the high two, 16 signed 8-bit scales (one for 16
    columns), an f16 d. With column c = 128 h + 32 g + i (h < 2, g < 4, i < 32):
    low bits in byte 64 h + 32 (g mod 2) + i, low nibble for g < 2; high bits in
    byte 32 h + i from bit 2 g; scale 8 h + 2 g + i / 16.
  }];
}
def Llama_IQ4_NLAttr : Llama_Format<"IQ4_NL", "iq4_nl"> {
  let summary = "blocks of 32: value = scale * table[quant], 4-bit quants";
  let description = [{
    18 bytes a block (ggml's `block_iq4_nl`): as Q4_0, but a quant is an index of
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113.
  }];
}
def Llama_IQ4_XSAttr : Llama_Format<"IQ4_XS", "iq4_xs"> {
  let summary = "blocks of 256 (8 x 32): value = d * (scale - 32) * table[quant], 4-bit quants";
  let description = [{
    136 bytes a block (ggml's `block_iq4_xs`): an f16 d, two bytes with the high
    two bits of eight scales of 6 bits (scale s from bit 2 s), four bytes with
    their low four bits (scale s in nibble s), then for each 32 columns 16 bytes
    and the table of IQ4_NL.
  }];
}
def Llama_MXFP4Attr : Llama_Format<"MXFP4", "mxfp4"> {
  let summary = "blocks of 32: value = 2^(scale - 128) * table[quant], 4-bit quants";
  let description = [{
    17 bytes a block (ggml's `block_mxfp4`; OCP Microscaling Formats 1.0): a byte
    that is an exponent (E8M0), then 16 bytes with nibbles as in Q4_0, indices of
    the values of E2M1, doubled: 0, 1, 2, 3, 4, 6, 8, 12, then the same negated.
    As in ggml every exponent is a number, 255 too.
  }];
}

#endif
