//===- KernelContext.cpp - memory that a kernel can be called on ----------===//
//
// See KernelContext.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Runner/KernelContext.h"
#include "runtime/ABI/Image.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <sys/mman.h>
#include <unistd.h>

using namespace corellama;

static constexpr size_t kAlignment = 64; // as Kernel.h guarantees

AlignedBytes::AlignedBytes(size_t bytes) : bytes(bytes) {
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t rounded = llvm::alignTo(bytes, kAlignment);
  mapped = llvm::alignTo(rounded, page) + 2 * page;
  void *begin = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                     /*fd=*/-1, /*offset=*/0);
  if (begin == MAP_FAILED ||
      mprotect(static_cast<uint8_t *>(begin) + page, mapped - 2 * page,
               PROT_READ | PROT_WRITE) != 0)
    llvm::report_bad_alloc_error("no memory for a kernel's buffers");
  mapping = static_cast<uint8_t *>(begin);
  first = mapping + mapped - page - rounded;
}

AlignedBytes::~AlignedBytes() {
  if (mapping)
    munmap(mapping, mapped);
}

KernelContext::KernelContext(const KernelContextSizes &sizes)
    : weights(sizes.weightBytes), workspace(sizes.workspaceBytes),
      keys(sizes.keyBytes), values(sizes.valueBytes),
      rope(sizes.ropeRow *
           (sizes.ropePositions ? sizes.ropePositions : sizes.capacity) *
           sizeof(float)),
      scratch(sizes.scratchBytes), tokens(1), wanted(abi::kWantedRows),
      positions(1), capacity(sizes.capacity), ropeFirst(sizes.ropeFirst),
      ropePositions(sizes.ropePositions ? sizes.ropePositions : sizes.capacity),
      ropeRow(sizes.ropeRow) {}

void KernelContext::setRows(uint64_t newRows, uint64_t firstPosition) {
  rows = newRows;
  keyCount = firstPosition + rows;
  positions.resize(rows);
  std::iota(positions.begin(), positions.end(),
            static_cast<int32_t>(firstPosition));
  tokens.resize(rows);
}

void KernelContext::fillRope(llvm::ArrayRef<abi::PairRotation> pairs) {
  uint64_t headSize = 2 * pairs.size();
  uint64_t row = abi::ropeRowOf(headSize);
  for (uint64_t i = 0; i < ropePositions; ++i)
    abi::fillRopeRow(
        rope.as<float>() + i * row, row, headSize,
        [&](uint64_t pair) -> abi::SineCosine {
          // Enough digits for a million positions.
          auto [frequency, magnitude] = pairs[pair];
          double angle = static_cast<double>(ropeFirst + i) * frequency.high;
          return {magnitude * std::sin(angle), magnitude * std::cos(angle)};
        });
}

void KernelContext::poison() {
  for (AlignedBytes *memory : {&workspace, &keys, &values})
    std::fill_n(memory->data(), memory->size(), uint8_t(0xff));
}

abi::Context KernelContext::context() const {
  abi::Context result = {};
  result.weights = weights.data();
  result.offsets = offsets.data();
  result.workspace = workspace.data();
  result.keys = keys.data();
  result.values = values.data();
  // Code counts rows from position 0; the sum of integers may lie before the
  // table, no pointer of C++ does.
  result.rope =
      reinterpret_cast<const float *>(reinterpret_cast<uintptr_t>(rope.data()) -
                                      ropeFirst * ropeRow * sizeof(float));
  result.tokens = tokens.data();
  result.positions = positions.data();
  result.rows = rows;
  result.keyCount = keyCount;
  result.capacity = capacity;
  result.wanted = wanted.data();
  result.regions = regions.data();
  return result;
}

std::vector<MemoryRange> KernelContext::ranges() const {
  // Cast to writable bytes; `writable` below says that they are not.
  auto bytesOf = [](const auto &list) {
    return static_cast<uint8_t *>(
        const_cast<void *>(static_cast<const void *>(list.data())));
  };
  constexpr bool kConstant = true;
  return {
      {"weights", weights.data(), weights.size(), false, kConstant},
      {"offsets", bytesOf(offsets), offsets.size() * sizeof(uint64_t), false,
       kConstant},
      {"regions", bytesOf(regions), regions.size() * sizeof(uint64_t), false,
       kConstant},
      {"workspace", workspace.data(), workspace.size(), true},
      {"keys", keys.data(), keys.size(), true},
      {"values", values.data(), values.size(), true},
      {"rope", rope.data(), rope.size(), false, kConstant},
      {"tokens", bytesOf(tokens), tokens.size() * sizeof(int32_t), false},
      {"positions", bytesOf(positions), positions.size() * sizeof(int32_t),
       false},
      {"wanted", bytesOf(wanted), wanted.size() * sizeof(int32_t), false},
  };
}

void KernelContext::run(const abi::Kernel &kernel, uint32_t layer) {
  abi::Context arguments = context();
  kernel.function(&arguments, scratch.data(), layer, 0,
                  static_cast<uint32_t>(kernel.parts(rows, keyCount)),
                  /*first=*/1);
}

void KernelContext::runShuffled(const abi::Kernel &kernel, uint32_t layer,
                                std::mt19937 &random) {
  abi::Context arguments = context();
  std::vector<uint32_t> order(kernel.parts(rows, keyCount));
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), random);
  for (uint32_t part : order) {
    std::memset(scratch.data(), 0xa5, scratch.size()); // garbage that is no NaN
    kernel.function(&arguments, scratch.data(), layer, part, part + 1,
                    /*first=*/1);
  }
}
