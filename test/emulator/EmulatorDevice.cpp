//===- EmulatorDevice.cpp - a GPU of one core, on the emulator ------------===//
//
// See EmulatorDevice.h. From top to bottom: the scheduler, which is a ring of
// fibres that can go on; barriers and other ops of several threads; a launch;
// the functions that kernels call.
//
// Boost.Context's two assembly routines and not its class `fiber`: a launch
// that fails leaves its fibres where they are, in frames of generated code that
// no exception can unwind, which is how `fiber` would end them.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/EmulatorDevice.h"
#include "test/emulator/EmulatorABI.h"
#include "test/emulator/Fibre.h"
#include "test/emulator/TensorCore.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <cstring>
#include <numeric>

using namespace corellama;
using boost::context::detail::jump_fcontext;
using boost::context::detail::make_fcontext;
using boost::context::detail::transfer_t;
using Kind = EmulatorTraffic::Kind;

namespace {

/// splitmix64: one addition and two multiplications for a switch.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint32_t below(uint32_t bound) {
    uint64_t x = state += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return static_cast<uint32_t>(((x ^ (x >> 31)) >> 32) * bound >> 32);
  }

private:
  uint64_t state;
};

} // namespace

class EmulatorDevice::Impl {
public:
  Impl(llvm::ArrayRef<abi::DeviceKernel> kernels,
       llvm::ArrayRef<MemoryRange> ranges, const EmulatorOptions &options)
      : kernels(kernels), memory(ranges, options.findConflicts),
        fault(options.fault), overlaps(options.overlaps),
        traffic(options.traffic), fibres(kMaxThreads), ring(kMaxThreads) {
    if (options.seed)
      random.emplace(*options.seed);
    // Stacks of all devices, because only one runs at a time: a test makes a
    // device a launch, and new memory costs a fault a page.
    static thread_local std::unique_ptr<uint8_t[]> stacks(
        new uint8_t[kMaxThreads * kStackStride]);
    for (uint32_t t = 0; t < kMaxThreads; ++t) {
      fibres[t].thread = t;
      fibres[t].stack = stacks.get() + t * kStackStride;
    }
  }

  /// A launch of a step; they overlap or none does.
  void launch(uint32_t number, const abi::Context &context, uint32_t layer,
              uint64_t blocks) {
    launch(number, context, layer, blocks, overlaps);
  }
  void launch(uint32_t number, const abi::Context &context, uint32_t layer,
              uint64_t blocks, bool overlaps);
  llvm::Error takeError() {
    if (error.empty())
      return llvm::Error::success();
    return llvm::createStringError(std::exchange(error, {}));
  }

  // What a fibre calls.
  uint32_t thread() const { return current->thread; }
  uint32_t blockNumber() const { return block; }
  uint8_t *shared() const { return memory.shared(); }
  void barrier(uint32_t site);
  void waitPrevious(uint32_t site) {
    if (!has(EmulatorFault::LeftOut, site))
      memory.waitPrevious(current->thread);
  }
  void converge(uint32_t site) { arriveInWarp(State::Converge, site); }
  uint32_t shuffleXor(uint32_t value, uint32_t mask, uint32_t site);
  void ldmatrix(const void *row, uint32_t count, bool isTransposed,
                uint32_t *registers, uint32_t site);
  void mma(const MmaOperands &operands, uint32_t site);
  void prefetch(const void *address, uint32_t site) {
    if (!memory.prefetch(current->thread, address))
      fail(memory.what());
    record(Kind::Prefetch, site, address, 1, 1);
  }
  void copyAsync(const AsyncCopy &copy, uint32_t site);
  void copyCommit(uint32_t site);
  void copyWait(uint32_t pending, uint32_t site);
  void read(const void *address, uint32_t bytes, uint32_t alignment,
            uint32_t site, Kind kind = Kind::Load) {
    if (memory.read(current->thread, address, bytes, alignment))
      record(kind, site, address, bytes, alignment);
    else if (!isLocal(address))
      fail(memory.what());
  }
  void write(const void *address, uint32_t bytes, uint32_t alignment,
             uint32_t site) {
    if (memory.write(current->thread, address, bytes, alignment))
      record(Kind::Store, site, address, bytes, alignment);
    else if (!isLocal(address))
      fail(memory.what());
  }

  /// The device that runs a kernel on this thread, set only while a launch
  /// runs. Static, because generated code calls C functions that have no
  /// argument for it.
  static thread_local Impl *running;

private:
  /// Local variables that cuda-trace-accesses did not recognise as such.
  bool isLocal(const void *address) const {
    return size_t(static_cast<const uint8_t *>(address) - current->stack) <
           kStackBytes;
  }
  void runBlock();
  static void runThread(transfer_t from);
  void switchTo(Fibre &next);
  void makeReady(Fibre &fibre) {
    fibre.state = State::Ready;
    ring[(ringFirst + ringCount++) % kMaxThreads] = &fibre;
  }
  void record(Kind kind, uint32_t site, const void *address, uint32_t bytes,
              uint32_t alignment) {
    if (traffic)
      traffic->record(kind, site, current->thread, address, bytes, alignment);
  }
  bool has(EmulatorFault::Kind kind, uint32_t site) const {
    return fault && fault->kernel == kernelNumber && fault->site == site &&
           fault->kind == kind;
  }
  void goOn();
  void nobodyCanGoOn();
  void arriveInWarp(State state, uint32_t site);
  void finishWarp(Fibre *warp);
  [[noreturn]] void fail(const std::string &what);
  const abi::DeviceKernel &kernel() const { return kernels[kernelNumber]; }

  llvm::ArrayRef<abi::DeviceKernel> kernels;
  EmulatorMemory memory;
  const std::optional<EmulatorFault> fault;
  const bool overlaps;
  EmulatorTraffic *const traffic;
  std::optional<Random> random;
  std::vector<Fibre> fibres;
  std::string error;

  // The launch that runs.
  uint32_t kernelNumber = 0, block = 0, layer = 0;
  const abi::Context *context = nullptr;

  // The block that runs.
  /// The context of launch's caller; not in the ring.
  Fibre host = {};
  Fibre *current = &host;
  /// Fibres that can go on, each at most once.
  std::vector<Fibre *> ring;
  uint32_t ringFirst = 0, ringCount = 0;
  uint32_t atBarrier = 0, ended = 0;
  uint32_t arrived[kMaxThreads / kWarpLanes] = {};
};

thread_local EmulatorDevice::Impl *EmulatorDevice::Impl::running = nullptr;

//===----------------------------------------------------------------------===//
// The scheduler
//===----------------------------------------------------------------------===//

/// Returns when another context switches back.
void EmulatorDevice::Impl::switchTo(Fibre &next) {
  Fibre *from = current;
  if (&next == from)
    return;
  current = &next;
  transfer_t back = jump_fcontext(next.context, from);
  // The previous context can be resumed where it stopped.
  static_cast<Fibre *>(back.data)->context = back.fctx;
}

void EmulatorDevice::Impl::runThread(transfer_t from) {
  static_cast<Fibre *>(from.data)->context = from.fctx;
  Impl &device = *running;
  device.kernel().thread(device.context, device.layer);
  // The launch behind this one may begin when it has ended.
  if (!device.memory.isBehindLaunches(device.current->thread))
    device.fail("thread " + std::to_string(device.current->thread) +
                " ends, and has not waited for earlier launches");
  device.current->state = State::Ended;
  ++device.ended;
  device.goOn();
  llvm_unreachable("an ended fibre is in no ring");
}

/// The current fibre waits, or has ended, or is in the ring itself.
void EmulatorDevice::Impl::goOn() {
  if (ringCount == 0)
    return nobodyCanGoOn();
  if (random)
    std::swap(ring[ringFirst],
              ring[(ringFirst + random->below(ringCount)) % kMaxThreads]);
  Fibre &next = *ring[ringFirst];
  ringFirst = (ringFirst + 1) % kMaxThreads;
  --ringCount;
  switchTo(next);
}

void EmulatorDevice::Impl::nobodyCanGoOn() {
  uint32_t threads = kernel().threads;
  if (ended == threads)
    return switchTo(host);
  if (atBarrier == threads) {
    for (uint32_t t = 1; t < threads; ++t)
      if (fibres[t].site != fibres[0].site)
        fail("thread 0 and thread " + std::to_string(t) +
             " wait at different barriers");
    atBarrier = 0;
    memory.barrier();
    for (uint32_t t = 0; t < threads; ++t)
      makeReady(fibres[t]);
    return goOn();
  }
  // Deadlock: a thread waits at a barrier or in a warp's op that another thread
  // does not reach. Warps are checked first, because a wait in a warp is also
  // the cause of waits at a barrier.
  for (uint32_t t = 0; t < threads; ++t) {
    Fibre &fibre = fibres[t];
    if (fibre.state == State::Barrier || fibre.state == State::Ended)
      continue;
    Fibre *warp = &fibres[t - t % kWarpLanes];
    for (uint32_t lane = 0; lane < kWarpLanes; ++lane)
      if (warp[lane].state != fibre.state)
        fail("thread " + std::to_string(t) + " " + describe(fibre.state) +
             ", but thread " + std::to_string(warp[lane].thread) +
             " of its warp " + describe(warp[lane].state));
  }
  auto first = [&](State state) {
    return std::find_if(fibres.begin(), fibres.begin() + threads,
                        [&](const Fibre &f) { return f.state == state; })
        ->thread;
  };
  fail("thread " + std::to_string(first(State::Barrier)) + " " +
       describe(State::Barrier) + ", but thread " +
       std::to_string(first(State::Ended)) + " " + describe(State::Ended));
}

void EmulatorDevice::Impl::fail(const std::string &what) {
  error = (llvm::Twine("kernel '") + kernel().name + "', layer " +
           llvm::Twine(layer) + ", block " + llvm::Twine(block) + ": " + what)
              .str();
  switchTo(host);
  llvm_unreachable("a fibre that failed is not resumed");
}

//===----------------------------------------------------------------------===//
// What threads do together
//===----------------------------------------------------------------------===//

void EmulatorDevice::Impl::barrier(uint32_t site) {
  if (has(EmulatorFault::LeftOut, site))
    return;
  current->state = State::Barrier;
  current->site = site;
  ++atBarrier;
  goOn();
}

/// Waits until all lanes of the warp have come to the same place.
void EmulatorDevice::Impl::arriveInWarp(State state, uint32_t site) {
  Fibre &fibre = *current;
  fibre.state = state;
  fibre.site = site;
  uint32_t number = fibre.thread / kWarpLanes;
  if (++arrived[number] == kWarpLanes) {
    arrived[number] = 0;
    Fibre *warp = &fibres[fibre.thread - fibre.thread % kWarpLanes];
    for (uint32_t lane = 0; lane < kWarpLanes; ++lane)
      if (warp[lane].state != state || warp[lane].site != site)
        fail("thread " + std::to_string(fibre.thread) + " " +
             describe(fibre.state) + ", but thread " +
             std::to_string(warp[lane].thread) + " of its warp " +
             describe(warp[lane].state) +
             (warp[lane].state == state ? " elsewhere" : ""));
    finishWarp(warp);
    for (uint32_t lane = 0; lane < kWarpLanes; ++lane)
      makeReady(warp[lane]);
  }
  goOn();
}

/// The tree of corellama_emulator_warp_sum. Addition commutes, so lanes l and
/// l xor half get the same sum.
static void addLanes(const uint32_t (&values)[kWarpLanes], Fibre *warp) {
  float sums[kWarpLanes];
  std::memcpy(sums, values, sizeof(sums));
  for (uint32_t half = kWarpLanes / 2; half; half /= 2)
    for (uint32_t lane = 0; lane < half; ++lane)
      sums[lane] += sums[lane + half];
  for (uint32_t lane = 0; lane < kWarpLanes; ++lane)
    std::memcpy(&warp[lane].value, sums, sizeof(*sums));
}

void EmulatorDevice::Impl::finishWarp(Fibre *warp) {
  switch (warp->state) {
  case State::Converge:
    return memory.converge(warp->thread / kWarpLanes);
  case State::ShuffleXor: {
    uint32_t values[kWarpLanes];
    for (uint32_t lane = 0; lane < kWarpLanes; ++lane)
      values[lane] = warp[lane].value;
    if (warp->mask == kSumOfWarp)
      return addLanes(values, warp);
    for (uint32_t lane = 0; lane < kWarpLanes; ++lane)
      warp[lane].value = values[lane ^ (warp[lane].mask % kWarpLanes)];
    return;
  }
  case State::LdMatrix: {
    const void *rows[kWarpLanes];
    uint32_t *registers[kWarpLanes];
    for (uint32_t lane = 0; lane < kWarpLanes; ++lane) {
      rows[lane] = warp[lane].row;
      registers[lane] = warp[lane].registers;
    }
    return loadMatrices(rows, warp->count, warp->isTransposed, registers);
  }
  case State::Mma: {
    MmaOperands operands[kWarpLanes];
    for (uint32_t lane = 0; lane < kWarpLanes; ++lane)
      operands[lane] = warp[lane].operands;
    return multiply(operands);
  }
  case State::Ready:
  case State::Barrier:
  case State::Ended:
    break;
  }
  llvm_unreachable("warps do not meet here");
}

uint32_t EmulatorDevice::Impl::shuffleXor(uint32_t value, uint32_t mask,
                                          uint32_t site) {
  current->value = value;
  current->mask = mask;
  arriveInWarp(State::ShuffleXor, site);
  return current->value;
}

void EmulatorDevice::Impl::ldmatrix(const void *row, uint32_t count,
                                    bool isTransposed, uint32_t *registers,
                                    uint32_t site) {
  constexpr uint32_t kRowsOfMatrix = 8, kRowBytes = 16;
  if (current->thread % kWarpLanes < kRowsOfMatrix * count)
    read(row, kRowBytes, kRowBytes, site, Kind::Matrix);
  current->row = row;
  current->count = count;
  current->isTransposed = isTransposed;
  current->registers = registers;
  arriveInWarp(State::LdMatrix, site);
}

void EmulatorDevice::Impl::mma(const MmaOperands &operands, uint32_t site) {
  current->operands = operands;
  arriveInWarp(State::Mma, site);
}

void EmulatorDevice::Impl::copyAsync(const AsyncCopy &copy, uint32_t site) {
  const auto source = reinterpret_cast<uintptr_t>(copy.source);
  if (copy.valid > AsyncCopy::kBytes || source % AsyncCopy::kBytes != 0)
    fail("thread " + std::to_string(current->thread) + " copies " +
         std::to_string(copy.valid) + " bytes from an address that is " +
         std::to_string(source % AsyncCopy::kBytes) + " modulo 16");
  if (!memory.beginCopy(current->thread, copy))
    fail(memory.what());
  if (copy.valid > 0)
    record(Kind::Copy, site, copy.source, copy.valid, AsyncCopy::kBytes);
  record(Kind::CopyTo, site, copy.target, AsyncCopy::kBytes, AsyncCopy::kBytes);
  current->copies.push_back({copy, current->committedGroups});
}

void EmulatorDevice::Impl::copyCommit(uint32_t site) {
  if (!has(EmulatorFault::LeftOut, site))
    ++current->committedGroups;
}

/// Groups arrive in the order in which they were committed.
void EmulatorDevice::Impl::copyWait(uint32_t pending, uint32_t site) {
  if (has(EmulatorFault::LeftOut, site))
    return;
  if (has(EmulatorFault::WaitsForLess, site))
    ++pending;
  Fibre &fibre = *current;
  uint32_t arrivedGroups = fibre.committedGroups - pending;
  if (fibre.committedGroups < pending)
    return;
  auto end = std::find_if(
      fibre.copies.begin(), fibre.copies.end(),
      [&](const Copy &copy) { return copy.group >= arrivedGroups; });
  for (Copy &copy : llvm::make_range(fibre.copies.begin(), end)) {
    if (!memory.endCopy(fibre.thread, copy))
      fail(memory.what());
    std::memset(copy.target, 0, AsyncCopy::kBytes);
    std::memcpy(copy.target, copy.source, copy.valid);
  }
  fibre.copies.erase(fibre.copies.begin(), end);
}

//===----------------------------------------------------------------------===//
// A launch
//===----------------------------------------------------------------------===//

void EmulatorDevice::Impl::runBlock() {
  uint32_t threads = kernel().threads;
  memory.beginBlock(block, kernel().sharedBytes);
  ringFirst = ringCount = atBarrier = ended = 0;
  std::fill(std::begin(arrived), std::end(arrived), 0u);
  for (uint32_t t = 0; t < threads; ++t) {
    Fibre &fibre = fibres[t];
    std::memcpy(fibre.stack, &kStackEnd, sizeof(kStackEnd));
    fibre.context =
        make_fcontext(fibre.stack + kStackBytes, kStackBytes, &runThread);
    fibre.committedGroups = 0;
    makeReady(fibre);
  }
  goOn();
  if (traffic)
    traffic->endBlock(memory.shared(), kernel().sharedBytes);
  for (uint32_t t = 0; t < threads; ++t) {
    Fibre &fibre = fibres[t];
    for (const Copy &copy : fibre.copies)
      memory.dropCopy(copy);
    fibre.copies.clear();
    if (std::memcmp(fibre.stack, &kStackEnd, sizeof(kStackEnd)) != 0)
      error = (llvm::Twine("kernel '") + kernel().name +
               "': needs more stack than the " + llvm::Twine(kStackBytes) +
               " bytes of a fibre")
                  .str();
  }
}

void EmulatorDevice::Impl::launch(uint32_t number,
                                  const abi::Context &arguments,
                                  uint32_t layerNumber, uint64_t blocks,
                                  bool early) {
  if (!error.empty())
    return;
  if (number >= kernels.size()) {
    error = "launch: there is no kernel number " + std::to_string(number);
    return;
  }
  kernelNumber = number;
  layer = layerNumber;
  context = &arguments;
  if (!kernel().thread || kernel().threads == 0 ||
      kernel().threads % kWarpLanes != 0 || kernel().threads > kMaxThreads) {
    error = (llvm::Twine("kernel '") + kernel().name +
             "': not code for the emulator, or not of whole warps")
                .str();
    return;
  }
  memory.beginLaunch(early);
  std::vector<uint32_t> order(blocks);
  std::iota(order.begin(), order.end(), 0u);
  if (traffic)
    order = traffic->begin(kernel().name, blocks);
  if (random)
    for (uint32_t i = 0; i < order.size(); ++i)
      std::swap(
          order[i],
          order[i + random->below(static_cast<uint32_t>(order.size()) - i)]);
  running = this;
  for (uint32_t next : order) {
    block = next;
    runBlock();
    if (!error.empty())
      break;
  }
  if (traffic)
    traffic->end();
  running = nullptr;
  context = nullptr;
}

EmulatorDevice::EmulatorDevice(llvm::ArrayRef<abi::DeviceKernel> kernels,
                               llvm::ArrayRef<MemoryRange> ranges,
                               EmulatorOptions options)
    : impl(std::make_unique<Impl>(kernels, ranges, options)) {}

EmulatorDevice::~EmulatorDevice() = default;

llvm::Error EmulatorDevice::launch(uint32_t kernel, const abi::Context &context,
                                   uint32_t layer, uint64_t blocks,
                                   bool overlaps) {
  impl->launch(kernel, context, layer, blocks, overlaps);
  return impl->takeError();
}

llvm::Error EmulatorDevice::run(abi::DeviceStepFunction step,
                                const abi::Context &context) {
  step(&context, impl.get());
  return impl->takeError();
}

//===----------------------------------------------------------------------===//
// What kernels call (EmulatorABI.h)
//===----------------------------------------------------------------------===//

static EmulatorDevice::Impl &device() { return *EmulatorDevice::Impl::running; }

void corellama_launch(void *device, uint32_t kernel,
                      const corellama::abi::Context *context, uint32_t layer,
                      uint64_t blocks) {
  static_cast<EmulatorDevice::Impl *>(device)->launch(kernel, *context, layer,
                                                      blocks);
}
uint32_t corellama_emulator_thread() { return device().thread(); }
uint32_t corellama_emulator_block() { return device().blockNumber(); }
uint8_t *corellama_emulator_shared() { return device().shared(); }
void corellama_emulator_barrier(uint32_t site) { device().barrier(site); }
void corellama_emulator_wait_previous(uint32_t site) {
  device().waitPrevious(site);
}
void corellama_emulator_converge(uint32_t site) { device().converge(site); }
uint32_t corellama_emulator_shuffle_xor(uint32_t value, uint32_t mask,
                                        uint32_t site) {
  return device().shuffleXor(value, mask, site);
}
uint32_t corellama_emulator_warp_sum(uint32_t value, uint32_t site) {
  return device().shuffleXor(value, kSumOfWarp, site);
}
void corellama_emulator_prefetch(const void *address, uint32_t site) {
  device().prefetch(address, site);
}
void corellama_emulator_copy_async(void *target, const void *source,
                                   uint32_t valid, uint32_t site) {
  device().copyAsync({static_cast<uint8_t *>(target),
                      static_cast<const uint8_t *>(source), valid},
                     site);
}
void corellama_emulator_copy_commit(uint32_t site) {
  device().copyCommit(site);
}
void corellama_emulator_copy_wait(uint32_t pending, uint32_t site) {
  device().copyWait(pending, site);
}
void corellama_emulator_ldmatrix(const void *row, uint32_t count,
                                 uint32_t *registers, uint32_t site) {
  device().ldmatrix(row, count, /*isTransposed=*/false, registers, site);
}
void corellama_emulator_ldmatrix_transposed(const void *row, uint32_t count,
                                            uint32_t *registers,
                                            uint32_t site) {
  device().ldmatrix(row, count, /*isTransposed=*/true, registers, site);
}
void corellama_emulator_mma(const uint32_t *a, const uint32_t *b,
                            const float *c, float *d, uint32_t site) {
  device().mma({a, b, c, d, /*isBF16=*/false}, site);
}
void corellama_emulator_mma_bf16(const uint32_t *a, const uint32_t *b,
                                 const float *c, float *d, uint32_t site) {
  device().mma({a, b, c, d, /*isBF16=*/true}, site);
}
void corellama_emulator_read(const void *address, uint32_t bytes,
                             uint32_t alignment, uint32_t site) {
  device().read(address, bytes, alignment, site);
}
void corellama_emulator_write(const void *address, uint32_t bytes,
                              uint32_t alignment, uint32_t site) {
  device().write(address, bytes, alignment, site);
}
