// q8b32, x24b32 and bf16 round as specified, and not at all in the ideal mode.
//
// Row 0: amax 127, so d = 1 and a quant is the value rounded, ties to even:
// 0.5 -> 0, 1.5 -> 2, 2.5 -> 2, -3.5 -> -4. Row 1 is all zero and stays so.
// Columns 32 to 63 are a block of their own: in row 0 amax 254, d = 2, 3 / 2 =
// 1.5 -> 2 -> 4.
//
// RUN: %python %S/npy.py %t.npy f4 2x64 127 0.5 1.5 2.5 -3.5 0*27 254 3 0*30 0*64
// RUN: %corellama eval %s --entry blocks --in %t.npy | FileCheck %s --check-prefix=Q8
// Q8: float 2x64
// Q8-NEXT: {{^}}127 0 2 2 -4 {{(0 )+}}254 4 {{(0 )+}}0{{$}}
// Q8-NEXT: {{^(0 )+}}0{{$}}
// RUN: %corellama eval %s --entry blocks --in %t.npy --mode ideal | FileCheck %s --check-prefix=IDEAL
// IDEAL: {{^}}127 0.5 1.5 2.5 -3.5 {{(0 )+}}254 3 {{(0 )+}}0{{$}}
func.func @blocks(%x: tensor<2x64xf32>) -> tensor<2x64x!llama.q8b32> {
  %y = llama.quantize %x : tensor<2x64xf32> to tensor<2x64x!llama.q8b32>
  return %y : tensor<2x64x!llama.q8b32>
}

// Each step is float32: amax 1, d = float32(1/127) = 0.0078740157186985016,
// 127 / amax = 127; 0.1f * 127 = 12.7 -> 13, times d = 0.102362204.
// RUN: %python %S/npy.py %t.npy f4 1x32 1 0.1 -1 0*29
// RUN: %corellama eval %s --entry single --in %t.npy | FileCheck %s --check-prefix=SINGLE
// SINGLE: float 1x32
// SINGLE-NEXT: {{^}}0.999999996 0.102362204 -0.999999996 0
func.func @single(%x: tensor<1x32xf32>) -> tensor<1x32x!llama.q8b32> {
  %y = llama.quantize %x : tensor<1x32xf32> to tensor<1x32x!llama.q8b32>
  return %y : tensor<1x32x!llama.q8b32>
}

// Fixed point: amax 8193532 is 127 * 254^2, so d = 1 and 0.5, 1.5 and 2.5 go to the
// even 0, 2 and 2; the next float32, 8193532.5, makes d 2, and 3 / 2 = 1.5 -> 2 -> 4.
// RUN: %python %S/npy.py %t.npy f4 1x64 8193532 0.5 1.5 2.5 0*28 8193532.5 3 0*30
// RUN: %corellama eval %s --entry digits --in %t.npy | FileCheck %s --check-prefix=DIGITS
// DIGITS: float 1x64
// DIGITS-NEXT: {{^}}8193532 0 2 2 {{(0 )+}}8193532 4 0
// RUN: %corellama eval %s --entry digits --in %t.npy --mode ideal | FileCheck %s --check-prefix=DIGITS-IDEAL
// DIGITS-IDEAL: {{^}}8193532 0.5 1.5 2.5
func.func @digits(%x: tensor<1x64xf32>) -> tensor<1x64x!llama.x24b32> {
  %y = llama.quantize %x : tensor<1x64xf32> to tensor<1x64x!llama.x24b32>
  return %y : tensor<1x64x!llama.x24b32>
}

// bf16 has 8 bits: 257 and 259 are ties between 256, 258 and 260 and go to
// the even 256 and 260; 1e-40 is below the smallest normal number and rounds
// to a multiple of 2^-133 = 9.18e-41; above 255.5 * 2^120 is infinity.
// RUN: %corellama eval %s --entry bf16 | FileCheck %s --check-prefix=BF16
// BF16: float 1x4
// BF16-NEXT: {{^}}256 260 9.18354962e-41 inf{{$}}
// RUN: %corellama eval %s --entry bf16 --mode ideal | FileCheck %s --check-prefix=BF16-IDEAL
// BF16-IDEAL: {{^}}257 259
func.func @bf16() -> tensor<1x4xbf16> {
  %x = arith.constant dense<[[257.0, 259.0, 1.0e-40, 3.4e38]]> : tensor<1x4xf32>
  %y = llama.quantize %x : tensor<1x4xf32> to tensor<1x4xbf16>
  return %y : tensor<1x4xbf16>
}

// f16 has 11 bits: 2049 and 2051 are ties between 2048, 2050 and 2052 and go to
// the even 2048 and 2052; 1e-7 is below the smallest normal number and rounds to
// a multiple of 2^-24 = 5.96e-8; from 65520 on it is infinity.
// RUN: %corellama eval %s --entry f16 | FileCheck %s --check-prefix=F16
// F16: float 1x4
// F16-NEXT: {{^}}2048 2052 1.1920929e-07 inf{{$}}
// RUN: %corellama eval %s --entry f16 --mode ideal | FileCheck %s --check-prefix=F16-IDEAL
// F16-IDEAL: {{^}}2049 2051
func.func @f16() -> tensor<1x4xf16> {
  %x = arith.constant dense<[[2049.0, 2051.0, 1.0e-7, 65520.0]]> : tensor<1x4xf32>
  %y = llama.quantize %x : tensor<1x4xf32> to tensor<1x4xf16>
  return %y : tensor<1x4xf16>
}

// A product sees the rounded row: x = (127, 0.5, ..., 0.5) becomes (127, 0, ...).
// RUN: %python %S/npy.py %t.x.npy f4 1x32 127 0.5*31
// RUN: %python %S/npy.py %t.w.npy u1 1x34 h:1 1*32
// RUN: %corellama eval %s --entry product --in %t.x.npy --in %t.w.npy | FileCheck %s --check-prefix=PRODUCT
// PRODUCT: float 1x1
// PRODUCT-NEXT: {{^}}127{{$}}
// RUN: %corellama eval %s --entry product --in %t.x.npy --in %t.w.npy --mode ideal | FileCheck %s --check-prefix=PRODUCT-IDEAL
// PRODUCT-IDEAL: {{^}}142.5{{$}}
func.func @product(%x: tensor<?x32xf32>, %w: !llama.weight<1x32, #llama.q8_0>) -> tensor<?x1xf32> {
  %q = llama.quantize %x : tensor<?x32xf32> to tensor<?x32x!llama.q8b32>
  %y = llama.linear %q, %w : tensor<?x32x!llama.q8b32>, !llama.weight<1x32, #llama.q8_0> -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}
