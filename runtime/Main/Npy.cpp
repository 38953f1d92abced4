//===- Npy.cpp - rows of float32 to a numpy file --------------------------===//
//
// See Npy.h. The format is numpy's version 1.0: magic, length of the header,
// header (a Python dictionary padded with spaces), values. The number of rows
// is known at the end only, so the header has a fixed size and is written
// twice.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Npy.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace corellama::runtime {

/// Fits two numbers of 20 digits; a multiple of 64, as the format asks.
static constexpr size_t kHeaderBytes = 128;

static std::string headerFor(uint64_t rows, uint64_t columns) {
  std::string header("\x93NUMPY\x01\x00", 8);
  constexpr size_t kDictionaryBytes = kHeaderBytes - 10;
  header += char(kDictionaryBytes & 0xFF);
  header += char(kDictionaryBytes >> 8);
  header += "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
            std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  header.append(kHeaderBytes - 1 - header.size(), ' ');
  header += '\n';
  return header;
}

NpyWriter::~NpyWriter() {
  if (file >= 0) {
    close(file);
    unlink(temporary.c_str());
  }
}

Error NpyWriter::failed(const char *what, int reason) const {
  return Error{path + ": " + what + ": " + strerror(reason) +
               "; give --logits-out a file that can be written"};
}

bool NpyWriter::writeAll(const void *bytes, size_t count) {
  auto *next = static_cast<const char *>(bytes);
  while (count > 0) {
    ssize_t written = write(file, next, count);
    if (written < 0) {
      if (errno == EINTR)
        continue;
      return false;
    }
    next += written;
    count -= size_t(written);
  }
  return true;
}

std::optional<Error> NpyWriter::open(const std::string &name,
                                     uint64_t columnCount) {
  path = name;
  columns = columnCount;
  // A rename would replace a device or a pipe by a file.
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return Error{path + ": is no regular file; give --logits-out the name of "
                        "a file"};
  temporary = path + ".partial-" + std::to_string(getpid());
  file =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0)
    return failed("cannot be made", errno);
  std::string header = headerFor(0, columns);
  if (!writeAll(header.data(), header.size()))
    return failed("cannot be written", errno);
  return std::nullopt;
}

std::optional<Error> NpyWriter::append(std::span<const float> row) {
  if (!writeAll(row.data(), row.size_bytes()))
    return failed("cannot be written", errno);
  ++rows;
  return std::nullopt;
}

std::optional<Error> NpyWriter::truncate(uint64_t count) {
  if (count >= rows)
    return std::nullopt;
  rows = count;
  const auto end = off_t(kHeaderBytes + rows * columns * sizeof(float));
  if (ftruncate(file, end) != 0 || lseek(file, end, SEEK_SET) != end)
    return failed("cannot be written", errno);
  return std::nullopt;
}

std::optional<Error> NpyWriter::finish() {
  std::string header = headerFor(rows, columns);
  if (pwrite(file, header.data(), header.size(), 0) != ssize_t(header.size()))
    return failed("cannot be written", errno);
  if (close(file) != 0) {
    file = -1;
    int reason = errno;
    unlink(temporary.c_str());
    return failed("cannot be written", reason);
  }
  file = -1;
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    int reason = errno;
    unlink(temporary.c_str());
    return failed("cannot be replaced", reason);
  }
  return std::nullopt;
}

} // namespace corellama::runtime
