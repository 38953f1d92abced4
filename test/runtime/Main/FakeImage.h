//===- FakeImage.h - the image of the fake program, and how it gets in ----===//
//
// Makes the bytes that the compiler would write behind the linked program, and
// the segment over them: header, offsets, text with a tokenizer, weights; and
// writes such programs for tests to run.
// Tests damage the header before it is written.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_MAIN_FAKEIMAGE_H
#define CORELLAMA_TEST_RUNTIME_MAIN_FAKEIMAGE_H

#include "runtime/ABI/Image.h"

#include <cstddef>
#include <string>

namespace corellama::test {

/// With the header's numbers those of FakeModel.h. Without a tokenizer its
/// text section has none; with a ring its one layer has.
std::string makeImage(bool withTokenizer = true, bool withRing = false);

/// The header inside an image, to read or to damage.
abi::ImageHeader &headerOf(std::string &image);

/// Writes the program `linked`, a target of CMakeLists.txt, with the image as
/// its last, read-only segment, of which the last `cutOff` bytes are missing.
/// Returns `path`; ends the process with a message if it cannot be made.
std::string install(const std::string &path, const std::string &linked,
                    const std::string &image, size_t cutOff = 0);

} // namespace corellama::test

#endif // CORELLAMA_TEST_RUNTIME_MAIN_FAKEIMAGE_H
