// RUN: %opt %pass %s --split-input-file --verify-diagnostics

func.func @doubles(%x: f64) -> f64 {
  // expected-error @below {{'math.exp' op is expanded in f32 only, found 'f64'}}
  %y = math.exp %x : f64
  return %y : f64
}

// -----

func.func @halves(%x: vector<16xf16>) -> vector<16xf16> {
  // expected-error @below {{'math.exp' op is expanded in f32 only, found 'vector<16xf16>'}}
  %y = math.exp %x : vector<16xf16>
  return %y : vector<16xf16>
}
