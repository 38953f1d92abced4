//===- Npy.h - rows of float32 to a numpy file ----------------------------===//
//
// Streams the logits to a file, because those of a long prompt do not fit in
// memory. They are written to a temporary file beside it, which is renamed when
// complete, so that the named file is never partial.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_NPY_H
#define CORELLAMA_RUNTIME_MAIN_NPY_H

#include "runtime/Support/Result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace corellama::runtime {

class NpyWriter {
public:
  NpyWriter() = default;
  NpyWriter(const NpyWriter &) = delete;
  NpyWriter &operator=(const NpyWriter &) = delete;
  /// Removes an unfinished temporary file.
  ~NpyWriter();

  std::optional<Error> open(const std::string &path, uint64_t columns);
  /// `row` has as many values as there are columns.
  std::optional<Error> append(std::span<const float> row);
  /// Forgets all but the first `count` rows, if there are more.
  std::optional<Error> truncate(uint64_t count);
  std::optional<Error> finish();

private:
  Error failed(const char *what, int reason) const;
  bool writeAll(const void *bytes, size_t count);

  std::string path;
  std::string temporary;
  int file = -1;
  uint64_t columns = 0;
  uint64_t rows = 0;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_NPY_H
