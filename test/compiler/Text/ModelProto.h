//===- ModelProto.h - small tokenizer.model files for tests -----*- C++ -*-===//
//
// Pieces and settings -> the bytes of a ModelProto. It shares no code with the
// reader: the numbers of sentencepiece_model.proto are written down once more.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_COMPILER_TEXT_MODELPROTO_H
#define CORELLAMA_TEST_COMPILER_TEXT_MODELPROTO_H

#include <cstdint>
#include <string>

namespace corellama::test {

class ModelProto {
public:
  /// Fields of the two messages, written in the end; what a test adds comes
  /// last and therefore counts.
  std::string trainer = number(3, 2);
  std::string normalizer = bytes(1, "identity") + number(4, 0);

  static std::string varint(uint64_t value) {
    std::string out;
    for (; value > 127; value >>= 7)
      out += static_cast<char>(value | 128);
    return out += static_cast<char>(value);
  }
  static std::string number(unsigned field, uint64_t value) {
    return varint(field << 3) + varint(value);
  }
  static std::string bytes(unsigned field, const std::string &value) {
    return varint(field << 3 | 2) + varint(value.size()) + value;
  }
  static std::string real(unsigned field, float value) {
    return varint(field << 3 | 5) +
           std::string(reinterpret_cast<const char *>(&value), sizeof(value));
  }

  ModelProto &piece(const std::string &text, float score, uint64_t type = 1) {
    return raw(bytes(1, text) + real(2, score) + number(3, type));
  }
  /// A piece by its fields.
  ModelProto &raw(const std::string &fields) {
    pieces += bytes(1, fields);
    return *this;
  }
  std::string file() const {
    return pieces + bytes(2, trainer) + bytes(3, normalizer);
  }

private:
  std::string pieces;
};

} // namespace corellama::test

#endif // CORELLAMA_TEST_COMPILER_TEXT_MODELPROTO_H
