// Pairs (2i, 2i + 1) of each head turn by position * base^(-2i / head size).
//
// Head size 4, base 16: pair 0 turns by pos, pair 1 by pos * 16^(-1/2) = pos/4.
// Position 0 turns nothing. Position 2: cos 2 = -0.416146837, sin 2 =
// 0.909297427, cos 0.5 = 0.877582562, sin 0.5 = 0.479425539. Both heads alike.
//
// RUN: %corellama eval %s --entry rotate | FileCheck %s
// CHECK: float 2x8
// CHECK-NEXT: {{^}}1 0 0 1 0 1 1 0{{$}}
// CHECK-NEXT: {{^}}-0.416146837 0.909297427 -0.479425539 0.877582562 -0.909297427 -0.416146837 0.877582562 0.479425539{{$}}
func.func @rotate() -> tensor<2x8xf32> {
  %rows = arith.constant dense<[[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0],
                                [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]]> : tensor<2x8xf32>
  %pos = arith.constant dense<[0, 2]> : tensor<2xi32>
  %y = llama.rope %rows, %pos base 16.0 heads 2 : tensor<2x8xf32>, tensor<2xi32>
  return %y : tensor<2x8xf32>
}

// Half of each head of 4 turns, at half of the angle: cos 1 = 0.540302306, sin 1 =
// 0.841470985. The other half is left as it is.
//
// RUN: %corellama eval %s --entry part | FileCheck %s --check-prefix=PART
// PART: float 2x4
// PART-NEXT: {{^}}1 0 0 1{{$}}
// PART-NEXT: {{^}}0.540302306 0.841470985 0 1{{$}}
func.func @part() -> tensor<2x4xf32> {
  %rows = arith.constant dense<[[1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0]]> : tensor<2x4xf32>
  %pos = arith.constant dense<[0, 2]> : tensor<2xi32>
  %y = llama.rope %rows, %pos base 16.0 heads 1 as <dims = 2, rule = linear, factor = 2.0> : tensor<2x4xf32>, tensor<2xi32>
  return %y : tensor<2x4xf32>
}

// Factors divide the frequencies 1 and 1/4: pair 0 turns by 2/2 = 1 as above, pair 1
// by 2/4/2 = 0.25: cos 0.25 = 0.968912422, sin 0.25 = 0.247403959.
//
// RUN: %corellama eval %s --entry factors | FileCheck %s --check-prefix=FACTORS
// FACTORS: float 1x4
// FACTORS-NEXT: {{^}}0.540302306 0.841470985 -0.247403959 0.968912422{{$}}
func.func @factors() -> tensor<1x4xf32> {
  %rows = arith.constant dense<[[1.0, 0.0, 0.0, 1.0]]> : tensor<1x4xf32>
  %pos = arith.constant dense<2> : tensor<1xi32>
  %y = llama.rope %rows, %pos base 16.0 heads 1 as <factors = [2.0, 2.0]> : tensor<1x4xf32>, tensor<1xi32>
  return %y : tensor<1x4xf32>
}

// llama3: in 16 positions pair 0 makes 16 / 2 pi = 2.546 turns, so w = (2.546 - 1) / 3 =
// 0.515 of its frequency stays: 0.636619772; pair 1 makes 0.637, so it is divided by 4:
// 1/16. At position 2: cos and sin of 1.273239545 and of 0.125.
//
// RUN: %corellama eval %s --entry llama3 | FileCheck %s --check-prefix=LLAMA3
// LLAMA3: float 1x4
// LLAMA3-NEXT: {{^}}0.293185232 0.956055657 -0.124674733 0.992197667{{$}}
func.func @llama3() -> tensor<1x4xf32> {
  %rows = arith.constant dense<[[1.0, 0.0, 0.0, 1.0]]> : tensor<1x4xf32>
  %pos = arith.constant dense<2> : tensor<1xi32>
  %y = llama.rope %rows, %pos base 16.0 heads 1 as <rule = llama3, factor = 4.0, original = 16, low = 1.0, high = 4.0> : tensor<1x4xf32>, tensor<1xi32>
  return %y : tensor<1x4xf32>
}

// YaRN: c(8) = 4 ln(64 / 16 pi) / (2 ln 16) = 0.17, c(1) = 1.67, so a = 0, b = 2: pair 0
// stays, half of pair 1's 1/4 is divided by 4: 0.15625. All is multiplied by 0.1 ln 4 + 1 =
// 1.13862944.
//
// RUN: %corellama eval %s --entry yarn | FileCheck %s --check-prefix=YARN
// YARN: float 2x4
// YARN-NEXT: {{^}}1.13862944 0 0 1.13862944{{$}}
// YARN-NEXT: {{^}}-0.473837038 1.03535282 -0.350058542 1.08348328{{$}}
func.func @yarn() -> tensor<2x4xf32> {
  %rows = arith.constant dense<[[1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 1.0]]> : tensor<2x4xf32>
  %pos = arith.constant dense<[0, 2]> : tensor<2xi32>
  %y = llama.rope %rows, %pos base 16.0 heads 1 as <rule = yarn, factor = 4.0, original = 64, low = 1.0, high = 8.0> : tensor<2x4xf32>, tensor<2xi32>
  return %y : tensor<2x4xf32>
}
