//===- CudaExecutor.cpp - a model on a GPU --------------------------------===//
//
// See CudaExecutor.h. From top to bottom: start, calls, launches, times.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/CudaExecutor.h"

#include "runtime/Cuda/Upload.h"
#include "runtime/Executor/GeneratedCode.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace corellama::runtime::cuda {

//===----------------------------------------------------------------------===//
// Start
//===----------------------------------------------------------------------===//

Result<std::unique_ptr<Executor>>
CudaExecutor::create(std::unique_ptr<Driver> driver, const DeviceInfo &device,
                     const abi::DeviceProgram &program,
                     const MappedImage &image,
                     const ExecutorSettings &settings) {
  if (!isSound(program, image.header->vocabulary))
    return damagedProgram();
  MemoryPlan plan;
  if (auto error =
          MemoryPlan::create(program, image, settings.context).moveTo(plan))
    return *error;
  std::unique_ptr<CudaExecutor> executor(new CudaExecutor(
      std::move(driver), device, program, image, std::move(plan)));
  if (auto error = executor->start(device, settings.goesOn))
    return *error;
  return std::unique_ptr<Executor>(std::move(executor));
}

// Where it was not closed before, an earlier error is on its way to the user.
CudaExecutor::~CudaExecutor() { close(); }

std::optional<Error> CudaExecutor::close() {
  // Whatever fails, the rest is given back.
  std::optional<Error> first;
  auto finish = [&](const auto &call, auto... arguments) {
    const int code = call.function(arguments...);
    if (code != kSuccess && !first)
      first = driver->describe(call.name, code);
  };
  for (GraphExecHandle *graph : {&rowGraph, &headGraph, &loopGraph})
    if (*graph)
      finish(driver->graphExecDestroy, std::exchange(*graph, nullptr));
  // Frees all that was made in the context.
  if (std::exchange(hasContext, false))
    finish(driver->primaryContextRelease, number);
  return first;
}

std::optional<Error> CudaExecutor::start(const DeviceInfo &device,
                                         bool (*goesOn)()) {
  const Driver &cu = *driver;
  ContextHandle context = nullptr;
  if (auto error = cu(cu.primaryContextRetain, &context, number))
    return error;
  hasContext = true;
  if (auto error = cu(cu.contextSetCurrent, context))
    return error;
  // Modules first: they take memory, too.
  if (auto error = loadModule(device))
    return error;
  size_t free = 0, total = 0;
  if (auto error = cu(cu.memGetInfo, &free, &total))
    return error;
  if (auto error = plan.check(free, device.describe()))
    return error;
  if (auto error = allocate())
    return error;
  if (auto error = cu(cu.streamCreate, &stream, kStreamNonBlocking))
    return error;
  for (EventHandle *event :
       {&isCopied, &loopState.isThere[0], &loopState.isThere[1]})
    if (auto error = cu(cu.eventCreate, event, 0u))
      return error;
  if (auto error =
          upload(cu, stream, {image.weights, plan.weights}, weights, goesOn))
    return error;
  return copyTables();
}

/// The first driver that takes launches that overlap into a graph as well, of
/// CUDA 12.3.
static constexpr int kOverlapsInGraphs = 12030;

std::optional<Error> CudaExecutor::loadModule(const DeviceInfo &device) {
  const Driver &cu = *driver;
  int version = 0;
  if (auto error = cu(cu.getVersion, &version))
    return error;
  // What the driver's assembler says about PTX.
  char log[512] = "";
  ModuleHandle module = nullptr;
  const auto modules = modulesFor(program, device.capability);
  for (size_t i = 0; i < modules.size(); ++i) {
    // The driver replaces the log's size by what it wrote.
    log[0] = 0;
    int options[] = {kJitErrorLog, kJitErrorLogBytes};
    void *optionValues[] = {log, reinterpret_cast<void *>(sizeof(log) - 1)};
    const int code = cu.moduleLoadData.function(&module, modules[i]->code,
                                                unsigned(std::size(options)),
                                                options, optionValues);
    if (code == kSuccess) {
      mayOverlap = version >= kOverlapsInGraphs && overlaps(*modules[i]);
      break;
    }
    // Machine code that this driver does not know, for whatever reason; PTX it
    // may. (Without memory it cannot load that either.)
    if (modules[i]->isAssembled && code != kErrorOutOfMemory &&
        i + 1 < modules.size())
      continue;
    Error error = cu.describe(cu.moduleLoadData.name, code);
    if (const std::string_view said(log); !said.empty())
      error.message += "; it says " + quoted(said.substr(0, said.find('\n')));
    return error;
  }
  for (const abi::DeviceKernel &kernel :
       std::span(program.kernels, program.kernelCount)) {
    FunctionHandle &function = functions.emplace_back();
    if (!kernel.entry)
      return damagedProgram();
    if (auto error = cu(cu.moduleGetFunction, &function, module, kernel.entry))
      return error;
    if (auto error = cu(cu.functionSetAttribute, function, kFunctionSharedBytes,
                        int(kernel.sharedBytes)))
      return error;
  }
  return std::nullopt;
}

std::optional<Error> CudaExecutor::allocate() {
  const Driver &cu = *driver;
  const struct {
    uint64_t bytes;
    Address &address;
  } device[] = {{plan.weights, weights},
                {plan.keys, keys},
                {plan.values, values},
                {plan.workspace, workspace},
                {plan.rope, ropeRows},
                {plan.offsets, offsets},
                {plan.cache.regions().size_bytes(), regions},
                {plan.step.bytes, stepBlock},
                {plan.head.bytes, headBlock},
                {plan.loop.bytes, loopBlock}};
  for (const auto &[bytes, address] : device)
    if (bytes != 0)
      if (auto error = cu(cu.memAlloc, &address, size_t(bytes)))
        return error;

  // Sizes of blocks are multiples of 64 bytes.
  const uint64_t logitsBytes =
      heads.back().rows * image.header->vocabulary * sizeof(float);
  void *pinned = nullptr;
  if (auto error =
          cu(cu.memHostAlloc, &pinned,
             size_t(plan.step.bytes + plan.head.bytes + plan.loop.copied +
                    Loop::kCopies * sizeof(abi::Choice) + logitsBytes),
             0u))
    return error;
  hostStep = static_cast<uint8_t *>(pinned);
  hostHead = hostStep + plan.step.bytes;
  hostLoop = hostHead + plan.head.bytes;
  uint8_t *rest = hostLoop + plan.loop.copied;
  for (abi::Choice *&copy : loopState.copies) {
    copy = reinterpret_cast<abi::Choice *>(rest);
    rest += sizeof(abi::Choice);
  }
  hostLogits = reinterpret_cast<float *>(rest);
  return std::nullopt;
}

std::optional<Error> CudaExecutor::copyTables() {
  const Driver &cu = *driver;
  if (auto error = RopeTable::reserve(image.frequencies, image.header->ropeRow,
                                      plan.cache.capacity())
                       .moveTo(rope))
    return error;
  if (auto error = cu(cu.copyToDevice, offsets,
                      static_cast<const void *>(image.offsets.data()),
                      image.offsets.size_bytes(), stream))
    return error;
  if (const auto begins = plan.cache.regions(); !begins.empty())
    if (auto error = cu(cu.copyToDevice, regions,
                        static_cast<const void *>(begins.data()),
                        begins.size_bytes(), stream))
      return error;

  auto at = []<typename T>(Address address, const T *) {
    return reinterpret_cast<T *>(address);
  };
  call.weights = at(weights, call.weights);
  call.offsets = at(offsets, call.offsets);
  call.workspace = at(workspace, call.workspace);
  call.keys = at(keys, call.keys);
  call.values = at(values, call.values);
  call.rope = at(ropeRows, call.rope);
  call.tokens = at(stepBlock, call.tokens);
  call.positions = at(stepBlock + plan.step.secondList, call.positions);
  call.capacity = plan.cache.capacity();
  call.wanted = at(headBlock, call.wanted);
  call.regions = at(regions, call.regions);
  call.threads = reinterpret_cast<void *>(loopBlock);
  if (!program.choose)
    return std::nullopt;
  loopCall = call;
  loopCall.tokens = at(loopBlock + plan.loop.token, call.tokens);
  loopCall.positions = at(loopBlock + plan.loop.position, call.positions);
  loopCall.wanted = at(loopBlock + plan.loop.wanted, call.wanted);
  loopCall.rows = 1;
  // Its kernels do nothing, whoever launches them, before a loop begins.
  memset(hostLoop, 0, plan.loop.copied);
  return copyLoop();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// The RoPE table grows by blocks of positions: few copies, and a large context
/// costs nothing until it is used.
std::optional<Error> CudaExecutor::reachRope(uint64_t positions) {
  if (positions <= ropeFilled)
    return std::nullopt;
  const uint64_t end =
      (positions + abi::kCacheBlock - 1) / abi::kCacheBlock * abi::kCacheBlock;
  rope.reach(end);
  const uint64_t row = image.header->ropeRow;
  if (auto error =
          ask(driver->copyToDevice, ropeRows + ropeFilled * row * sizeof(float),
              static_cast<const void *>(rope.data() + ropeFilled * row),
              size_t((end - ropeFilled) * row * sizeof(float)), stream))
    return error;
  ropeFilled = end;
  return std::nullopt;
}

/// Copies a call's lists and launches a step's kernels behind them: where the
/// call has one row as `graph`, which is then the same each time.
std::optional<Error> CudaExecutor::run(const abi::DeviceEntry &entry,
                                       uint8_t *block, Address to,
                                       uint64_t bytes, GraphExecHandle &graph) {
  if (auto error = ask(driver->copyToDevice, to,
                       static_cast<const void *>(block), size_t(bytes), stream))
    return error;
  if (auto error = ask(driver->eventRecord, isCopied, stream))
    return error;
  hasCopied = true;
  if (call.rows == 1)
    return replay(graph, [&] { entry.step(&call, this); });
  entry.step(&call, this);
  return failure;
}

std::optional<Error> CudaExecutor::replay(GraphExecHandle &graph,
                                          const std::function<void()> &body) {
  const Driver &cu = *driver;
  if (!graph) {
    if (auto error =
            ask(cu.streamBeginCapture, stream, int(kCaptureThreadLocal)))
      return error;
    body();
    // These end what has begun, whatever failed.
    auto finish = [&](const auto &call, auto... arguments) {
      const int code = call.function(arguments...);
      if (code != kSuccess && !failure)
        failure = cu.describe(call.name, code);
    };
    GraphHandle captured = nullptr;
    finish(cu.streamEndCapture, stream, &captured);
    ask(cu.graphInstantiate, &graph, captured, 0ull);
    if (captured)
      finish(cu.graphDestroy, captured);
    if (failure)
      return failure;
  }
  return ask(cu.graphLaunch, graph, stream);
}

std::optional<Error> CudaExecutor::append(std::span<const int32_t> ids,
                                          uint64_t first) {
  if (hasCopied)
    if (auto error = ask(driver->eventSynchronize, isCopied))
      return error;
  auto *tokens = reinterpret_cast<int32_t *>(hostStep);
  auto *positions =
      reinterpret_cast<int32_t *>(hostStep + plan.step.secondList);
  for (size_t row = 0; row < ids.size(); ++row) {
    tokens[row] = ids[row];
    positions[row] = int32_t(first + row);
  }
  call.rows = ids.size();
  call.keyCount = first + ids.size();
  plan.cache.reach(call.keyCount);
  if (auto error = reachRope(call.keyCount))
    return error;
  return run(*abi::findEntry(forms.data(), forms.size(), ids.size()), hostStep,
             stepBlock, plan.step.bytes, rowGraph);
}

Result<std::span<const float>>
CudaExecutor::logits(std::span<const int32_t> rows) {
  // The last call of a head has ended: its logits were waited for.
  std::ranges::copy(rows, reinterpret_cast<int32_t *>(hostHead));
  call.rows = rows.size();
  if (auto error = run(*abi::findEntry(heads.data(), heads.size(), rows.size()),
                       hostHead, headBlock, plan.head.bytes, headGraph))
    return *error;
  const size_t count = rows.size() * image.header->vocabulary;
  if (auto error =
          ask(driver->copyToHost, static_cast<void *>(hostLogits),
              workspace + program.logitsOffset, count * sizeof(float), stream))
    return *error;
  if (auto error = ask(driver->streamSynchronize, stream))
    return *error;
  return std::span<const float>(hostLogits, count);
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

void CudaExecutor::launch(uint32_t kernel, abi::Context context, uint32_t layer,
                          uint64_t blocks, bool overlaps) {
  if (failure || blocks == 0)
    return;
  if (kernel >= functions.size() || blocks > INT32_MAX) {
    failure = damagedProgram();
    return;
  }
  const abi::DeviceKernel &what = program.kernels[kernel];
  void *parameters[] = {&context, &layer};
  // Behind a kernel it begins when that one lets it; behind all else, such as a
  // copy, as any launch does.
  LaunchAttribute early;
  early.which = kLaunchOverlaps;
  early.value = 1;
  LaunchConfig config;
  config.blocks[0] = unsigned(blocks);
  config.threads[0] = unsigned(what.threads);
  config.sharedBytes = unsigned(what.sharedBytes);
  config.stream = stream;
  config.attributes = &early;
  config.attributeCount = overlaps;
  ask(driver->launchKernel, static_cast<const LaunchConfig *>(&config),
      functions[kernel], static_cast<void **>(parameters),
      static_cast<void **>(nullptr));
  if (failure)
    failure->message += "; it was kernel " + quoted(what.name);
}

//===----------------------------------------------------------------------===//
// Times of kernels
//===----------------------------------------------------------------------===//

Result<std::vector<int64_t>>
CudaExecutor::trace(std::span<const Dispatch> dispatches) {
  const Driver &cu = *driver;
  // One before each kernel, and one behind the last.
  std::vector<EventHandle> events(dispatches.size() + 1);
  for (EventHandle &event : events)
    if (auto error = ask(cu.eventCreate, &event, 0u))
      return *error;
  for (size_t i = 0; i < events.size(); ++i) {
    if (auto error = ask(cu.eventRecord, events[i], stream))
      return *error;
    if (i < dispatches.size() && dispatches[i].kernel &&
        !dispatches[i].isEmpty) {
      const uint32_t kernel = *dispatches[i].kernel;
      if (kernel >= program.kernelCount)
        return damagedProgram();
      // One after the other: of launches that overlap none has a time.
      launch(kernel, call, dispatches[i].layer,
             program.kernels[kernel].parts(call.rows, call.capacity),
             /*overlaps=*/false);
    }
  }
  if (failure)
    return *failure;
  if (auto error = ask(cu.streamSynchronize, stream))
    return *error;
  std::vector<int64_t> times;
  for (size_t i = 0; i < dispatches.size(); ++i) {
    float milliseconds = 0;
    if (auto error =
            ask(cu.eventElapsedTime, &milliseconds, events[i], events[i + 1]))
      return *error;
    times.push_back(int64_t(double(milliseconds) * 1e6));
  }
  for (EventHandle event : events)
    if (auto error = ask(cu.eventDestroy, event))
      return *error;
  return times;
}

} // namespace corellama::runtime::cuda

void corellama_launch(void *device, uint32_t kernel,
                      const corellama::abi::Context *context, uint32_t layer,
                      uint64_t blocks) {
  static_cast<corellama::runtime::cuda::CudaExecutor *>(device)->launch(
      kernel, *context, layer, blocks);
}
