//===- Upload.cpp - a large range of memory to the GPU --------------------===//
//
// See Upload.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/Upload.h"

#include "runtime/Support/TerminalLine.h"

#include <algorithm>
#include <cstring>

namespace corellama::runtime::cuda {

/// Large enough that starting a copy costs nothing beside it (16 MiB take 600
/// us at 25 GB/s), little beside a machine's memory, of which two are locked.
static constexpr size_t kPieceBytes = size_t(16) << 20;

std::optional<Error> upload(const Driver &driver, StreamHandle stream,
                            std::span<const uint8_t> bytes, Address to,
                            bool (*goesOn)()) {
  struct Stage {
    void *memory = nullptr;
    EventHandle isCopied = nullptr;
  } stages[2];
  const size_t piece = std::min(kPieceBytes, bytes.size());
  for (Stage &stage : stages) {
    if (auto error = driver(driver.memHostAlloc, &stage.memory, piece, 0u))
      return error;
    if (auto error = driver(driver.eventCreate, &stage.isCopied, 0u))
      return error;
  }
  TerminalLine progress;
  for (size_t done = 0, number = 0; done < bytes.size(); ++number) {
    if (!goesOn())
      return Error{"interrupted while weights were copied to the GPU"};
    Stage &stage = stages[number % 2];
    if (number >= 2)
      if (auto error = driver(driver.eventSynchronize, stage.isCopied))
        return error;
    progress.show("weights", done >> 20, bytes.size() >> 20, "MiB");
    const size_t count = std::min(piece, bytes.size() - done);
    memcpy(stage.memory, bytes.data() + done, count);
    if (auto error =
            driver(driver.copyToDevice, to + done, stage.memory, count, stream))
      return error;
    if (auto error = driver(driver.eventRecord, stage.isCopied, stream))
      return error;
    done += count;
  }
  if (auto error = driver(driver.streamSynchronize, stream))
    return error;
  // What an error leaves goes with the context.
  for (Stage &stage : stages) {
    if (auto error = driver(driver.eventDestroy, stage.isCopied))
      return error;
    if (auto error = driver(driver.memFreeHost, stage.memory))
      return error;
  }
  return std::nullopt;
}

} // namespace corellama::runtime::cuda
