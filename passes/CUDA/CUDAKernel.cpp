//===- CUDAKernel.cpp - building blocks of a thread's code ----------------===//
//
// tile -> vector: arithmetic on indices, memory, loops and conditions, reported
// to BlockBarriers as it requires.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
// No using-directive for corellama::cuda: mlir::gpu has ops of the same names.
using corellama::cuda::CUDAKernel;

/// The alignment of a workgroup buffer: 128 bytes, one row of all banks, as for
/// the whole region.
static constexpr int64_t kBufferAlignment = 128;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value CUDAKernel::both(Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return arith::AndIOp::create(b, x, y);
}
Value CUDAKernel::constant(float value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
}
Value CUDAKernel::i32(uint32_t value) {
  return arith::ConstantOp::create(
      b, b.getI32IntegerAttr(static_cast<int32_t>(value)));
}
Value CUDAKernel::isZero(Value number) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number, index(0));
}
Value CUDAKernel::zeros(Type type) {
  return arith::ConstantOp::create(b, b.getZeroAttr(type));
}
VectorType CUDAKernel::floats(int64_t count) {
  return VectorType::get({count}, b.getF32Type());
}
Value CUDAKernel::splat(Value scalar, int64_t count) {
  return vector::BroadcastOp::create(
      b, VectorType::get({count}, scalar.getType()), scalar);
}
Value CUDAKernel::fma(Value x, Value y, Value z) {
  return math::FmaOp::create(b, x, y, z);
}
Value CUDAKernel::element(Value vector, int64_t at) {
  // The elements of a vector that was just built are known.
  if (auto made = vector.getDefiningOp<vector::FromElementsOp>())
    return made.getElements()[at];
  return vector::ExtractOp::create(b, vector, at);
}
Value CUDAKernel::fromElements(ArrayRef<Value> scalars) {
  auto type = VectorType::get({static_cast<int64_t>(scalars.size())},
                              scalars[0].getType());
  return vector::FromElementsOp::create(b, type, scalars);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value CUDAKernel::field(context::Field which) {
  // Parameters of a graph's kernels are fixed; where the last row of a call is
  // stands in memory, where the launch that chose it may have written it. It is
  // read once, before a block waits for anything else.
  if (which == context::Field::KeyCount) {
    if (!keyCount) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointAfter(wait);
      keyCount = add(positionOf(sub(field(context::Field::Rows), 1)), 1);
    }
    return keyCount;
  }
  Type type = context::isPointer(which)
                  ? Type(LLVM::LLVMPointerType::get(b.getContext()))
                  : Type(b.getIndexType());
  return context::FieldOp::create(b, type, context, which);
}

MemRefType CUDAKernel::global(ArrayRef<int64_t> shape, Type element) {
  return MemRefType::get(shape, element, MemRefLayoutAttrInterface(),
                         b.getI64IntegerAttr(kGlobalSpace));
}

Value CUDAKernel::view(Value pointer, tile::IndexOperand byteOffset,
                       MemRefType type) {
  return context::ViewOp::create(b, type, pointer, index(byteOffset));
}

Value CUDAKernel::allocate(ArrayRef<int64_t> shape, Type element) {
  auto type = MemRefType::get(shape, element, MemRefLayoutAttrInterface(),
                              b.getI64IntegerAttr(kWorkgroupSpace));
  auto memory = SharedOp::create(b, type, workgroupBytes);
  workgroupBytes = llvm::alignTo(memory.getEnd(), kBufferAlignment);
  buffers[memory] = barriers.addBuffer();
  return memory;
}

int CUDAKernel::bufferOf(Value memory) {
  auto it = buffers.find(memory);
  return it == buffers.end() ? -1 : it->second;
}

Value CUDAKernel::load(Value memory, ValueRange at) {
  return memref::LoadOp::create(b, memory, at);
}

Value CUDAKernel::loadVector(Value memory, ValueRange at, int64_t count,
                             int64_t bytes) {
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  return vector::LoadOp::create(b, VectorType::get({count}, element), memory,
                                at, /*nontemporal=*/false, llvm::Align(bytes));
}

void CUDAKernel::storeVector(Value vector, Value memory, ValueRange at,
                             int64_t bytes) {
  vector::StoreOp::create(b, vector, memory, at, /*nontemporal=*/false,
                          llvm::Align(bytes));
}

Value CUDAKernel::array(context::Field which, Type element) {
  return view(field(which), 0, global({ShapedType::kDynamic}, element));
}

/// What a list of the context says of a row.
Value CUDAKernel::integerOf(context::Field list, Value row) {
  Value number = load(array(list, b.getI32Type()), {row});
  return arith::IndexCastOp::create(b, b.getIndexType(), number);
}

Value CUDAKernel::positionOf(Value row) {
  return integerOf(context::Field::Positions, row);
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

SmallVector<Value>
CUDAKernel::loop(tile::IndexOperand from, tile::IndexOperand to, int64_t step,
                 ValueRange init,
                 function_ref<Vec<Value>(Value, ValueRange)> body) {
  Value begin = index(from);
  Value end = index(to);
  std::optional<int64_t> first = getConstantIntValue(begin),
                         last = getConstantIntValue(end);
  return fold(begin, end, step, init, [&](Value iv, ValueRange carried) {
    barriers.enterLoop(/*runs=*/first && last && *first < *last);
    Vec<Value> results = body(iv, carried);
    barriers.leaveLoop();
    return results;
  });
}

SmallVector<Value> CUDAKernel::branch(Value condition, ValueRange otherwise,
                                      function_ref<Vec<Value>()> body) {
  if (!condition)
    return body();
  return guardedValues(condition, otherwise, [&] {
    barriers.enterBranch();
    Vec<Value> results = body();
    barriers.leaveBranch();
    return results;
  });
}

void CUDAKernel::guarded(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  auto op = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  body();
}

SmallVector<Value> CUDAKernel::guardedValues(Value condition,
                                             ValueRange otherwise,
                                             function_ref<Vec<Value>()> body) {
  if (otherwise.empty()) {
    guarded(condition, [&] { body(); });
    return {};
  }
  if (!condition)
    return body();
  auto op = scf::IfOp::create(b, otherwise.getTypes(), condition,
                              /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  scf::YieldOp::create(b, body());
  b.setInsertionPointToStart(op.elseBlock());
  scf::YieldOp::create(b, otherwise);
  return Vec<Value>(op.getResults());
}

SmallVector<Value>
CUDAKernel::rounds(int64_t count, int64_t batch, ValueRange init,
                   function_ref<Vec<Value>(ArrayRef<Value>, ValueRange)> body) {
  int64_t full = count / threads, batches = full / batch * batch;
  auto items = [&](Value first, int64_t rounds) {
    Vec<Value> found;
    for (int64_t r = 0; r < rounds; ++r)
      found.push_back(add(first, r * threads));
    return found;
  };
  Vec<Value> carried(init);
  if (batches > batch)
    carried = fold(0, batches * threads, batch * threads, carried,
                   [&](Value first, ValueRange values) {
                     return body(items(add(first, thread), batch), values);
                   });
  else if (batches)
    carried = body(items(thread, batch), carried);
  if (full != batches)
    carried =
        body(items(add(thread, batches * threads), full - batches), carried);
  if (count % threads) {
    Value last = add(thread, full * threads);
    carried = guardedValues(lessThan(last, count), carried,
                            [&] { return body({last}, carried); });
  }
  return carried;
}
