//===- GGUFBuilder.h - small checkpoints for tests --------------*- C++ -*-===//
//
// Keys, values and tensors -> the bytes of a GGUF file, well formed or broken
// on purpose, with the place of each of its fields. A header of its own
// because the reader's tests and the fuzz replay both write files with it. It
// shares no code with the reader: sizes and ids are written down once more.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_COMPILER_CHECKPOINT_GGUFBUILDER_H
#define CORELLAMA_TEST_COMPILER_CHECKPOINT_GGUFBUILDER_H

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace corellama::test {

/// ggml's ids.
enum GGMLType : uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  IQ4_NL = 20,
  IQ4_XS = 23,
  BF16 = 30,
  MXFP4 = 39,
};

/// GGUF's ids of value types.
enum GGUFType : uint32_t {
  kUInt8 = 0,
  kInt8 = 1,
  kUInt16 = 2,
  kInt16 = 3,
  kUInt32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUInt64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

/// Elements and bytes of a block; one element of 4 bytes for an id that is not
/// in the list above, so that tests can name it.
inline std::pair<uint64_t, uint64_t> blockOf(uint32_t type) {
  switch (type) {
  case F16:
  case BF16:
    return {1, 2};
  case Q4_0:
    return {32, 2 + 16}; // a half, 32 nibbles
  case Q4_1:
    return {32, 2 + 2 + 16}; // two halves, 32 nibbles
  case Q8_0:
    return {32, 2 + 32}; // a half, 32 int8
  case Q5_0:
    return {32, 2 + 4 + 16}; // a half, fifth bits, 32 nibbles
  case Q5_1:
    return {32, 2 + 2 + 4 + 16}; // two halves, fifth bits, 32 nibbles
  case Q2_K:
    return {256, 16 + 64 + 2 + 2}; // scales, 2 bits each, two halves
  case Q3_K:
    return {256, 32 + 64 + 12 + 2}; // third bits, 2 bits each, scales, a half
  case Q4_K:
    return {256, 2 + 2 + 12 + 128}; // two halves, scales, nibbles
  case Q5_K:
    return {256, 2 + 2 + 12 + 32 + 128}; // as Q4_K, with fifth bits
  case Q6_K:
    return {256, 128 + 64 + 16 + 2}; // low bits, high bits, scales, a half
  case IQ4_NL:
    return {32, 2 + 16}; // a half, 32 nibbles
  case IQ4_XS:
    return {256, 2 + 2 + 4 + 128}; // a half, scales, nibbles
  case MXFP4:
    return {32, 1 + 16}; // an exponent, 32 nibbles
  default:
    return {1, 4};
  }
}

/// An integer or float of the file outside the tensors' data.
struct Field {
  std::string name;
  uint64_t offset;
  unsigned width;
  bool isFloat;
};

class GGUFBuilder {
public:
  std::string magic = "GGUF";
  uint32_t version = 3;
  /// Written instead of the true counts.
  std::optional<uint64_t> tensorCount, keyCount;
  /// The alignment that is used; a key has to say so if it is not 32.
  uint64_t alignment = 32;

  struct Key {
    std::string name;
    uint32_t type;
    std::string payload;
    std::vector<Field> fields; ///< of the payload, by their places in it
  };
  struct Tensor {
    std::string name;
    uint32_t type;
    std::vector<uint64_t> dimensions; ///< columns first
    std::optional<uint64_t> offset;   ///< written instead of the true one
  };
  std::vector<Key> keys;
  std::vector<Tensor> tensors;

  // Each of these replaces the value of a key that is there already.
  template <typename T>
  GGUFBuilder &number(std::string key, uint32_t type, T v) {
    Key &entry = set(std::move(key), type);
    entry.fields = {{"value", 0, sizeof(T), std::is_floating_point_v<T>}};
    put(entry.payload, v);
    return *this;
  }
  GGUFBuilder &u32(std::string key, uint32_t v) {
    return number(std::move(key), kUInt32, v);
  }
  GGUFBuilder &f32(std::string key, float v) {
    return number(std::move(key), kFloat32, v);
  }
  GGUFBuilder &flag(std::string key, uint8_t v) {
    return number(std::move(key), kBool, v);
  }
  GGUFBuilder &text(std::string key, const std::string &v) {
    Key &entry = set(std::move(key), kString);
    putText(entry.payload, entry.fields, "value", v);
    return *this;
  }
  GGUFBuilder &texts(std::string key, const std::vector<std::string> &v) {
    Key &entry = array(std::move(key), kString, v.size());
    for (const std::string &element : v)
      putText(entry.payload, entry.fields, "element", element);
    return *this;
  }
  template <typename T>
  GGUFBuilder &numbers(std::string key, uint32_t type,
                       const std::vector<T> &v) {
    Key &entry = array(std::move(key), type, v.size());
    for (T element : v)
      put(entry.payload, element);
    return *this;
  }
  /// The head of an array, whatever follows it.
  Key &array(std::string key, uint32_t elementType, uint64_t count) {
    Key &entry = set(std::move(key), kArray);
    entry.fields = {{"element type", 0, 4, false}, {"length", 4, 8, false}};
    put(entry.payload, elementType);
    put(entry.payload, count);
    return entry;
  }
  GGUFBuilder &remove(const std::string &key) {
    std::erase_if(keys, [&](const Key &k) { return k.name == key; });
    return *this;
  }

  GGUFBuilder &tensor(std::string name, uint32_t type,
                      std::vector<uint64_t> dimensions) {
    tensors.push_back({std::move(name), type, std::move(dimensions), {}});
    return *this;
  }
  GGUFBuilder &removeTensor(const std::string &name) {
    std::erase_if(tensors, [&](const Tensor &t) { return t.name == name; });
    return *this;
  }
  /// The tensor of that name, which must be there.
  Tensor &at(const std::string &name) {
    for (Tensor &t : tensors)
      if (t.name == name)
        return t;
    std::abort();
  }

  /// A byte of the data; any rule does that differs between tensors.
  static uint8_t dataByte(size_t tensor, uint64_t i) {
    return static_cast<uint8_t>(tensor * 31 + i * 7 + 1);
  }

  /// The file, and where its fields lie.
  std::string build(std::vector<Field> *fields = nullptr) const {
    std::string out = magic;
    std::vector<Field> found;
    auto field = [&](std::string name, auto v) {
      found.push_back({std::move(name), out.size(), sizeof(v), false});
      put(out, v);
    };
    field("version", version);
    field("tensor count", tensorCount.value_or(tensors.size()));
    field("key count", keyCount.value_or(keys.size()));
    for (const Key &key : keys) {
      putText(out, found, key.name + ": key", key.name);
      field(key.name + ": type", key.type);
      for (Field f : key.fields) {
        f.name = key.name + ": " + f.name;
        f.offset += out.size();
        found.push_back(f);
      }
      out += key.payload;
    }

    std::string data;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const Tensor &t = tensors[i];
      putText(out, found, t.name + ": name", t.name);
      field(t.name + ": dimensions", uint32_t(t.dimensions.size()));
      uint64_t elements = 1;
      for (uint64_t d : t.dimensions) {
        field(t.name + ": dimension", d);
        elements *= d;
      }
      field(t.name + ": type", t.type);
      data.resize((data.size() + alignment - 1) / alignment * alignment, '\0');
      field(t.name + ": offset", t.offset.value_or(data.size()));
      auto [block, blockBytes] = blockOf(t.type);
      for (uint64_t b = 0; b < elements / block * blockBytes; ++b)
        data += static_cast<char>(dataByte(i, b));
    }
    out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
    if (fields)
      *fields = std::move(found);
    return out + data;
  }

  template <typename T> static void put(std::string &out, T v) {
    char raw[sizeof(T)];
    std::memcpy(raw, &v, sizeof(T)); // the tests run on little-endian machines
    out.append(raw, sizeof(T));
  }

private:
  static void putText(std::string &out, std::vector<Field> &fields,
                      const std::string &name, const std::string &v) {
    fields.push_back({name + " length", out.size(), 8, false});
    put(out, uint64_t(v.size()));
    out += v;
  }

  Key &set(std::string key, uint32_t type) {
    for (Key &k : keys)
      if (k.name == key) {
        k = {std::move(key), type, {}, {}};
        return k;
      }
    keys.push_back({std::move(key), type, {}, {}});
    return keys.back();
  }
};

/// The sizes of a small Llama; the defaults are grouped attention.
struct SmallLlama {
  uint32_t type = F32;
  uint64_t layers = 2;
  uint64_t dim = 64;
  uint64_t heads = 4;
  uint64_t kvHeads = 2;
  uint64_t headSize = 16;
  uint64_t hidden = 96;
  uint64_t vocab = 5;
  bool tied = false;

  GGUFBuilder builder() const {
    GGUFBuilder b;
    b.text("general.architecture", "llama");
    b.text("general.name", "small");
    b.u32("llama.block_count", uint32_t(layers));
    b.u32("llama.context_length", 128);
    b.u32("llama.embedding_length", uint32_t(dim));
    b.u32("llama.feed_forward_length", uint32_t(hidden));
    b.u32("llama.attention.head_count", uint32_t(heads));
    b.u32("llama.attention.head_count_kv", uint32_t(kvHeads));
    b.f32("llama.attention.layer_norm_rms_epsilon", 1.0f / 1024);
    b.u32("llama.rope.dimension_count", uint32_t(headSize));
    b.f32("llama.rope.freq_base", 50000.0f);
    if (headSize * heads != dim) {
      b.u32("llama.attention.key_length", uint32_t(headSize));
      b.u32("llama.attention.value_length", uint32_t(headSize));
    }
    std::vector<std::string> tokens;
    for (uint64_t i = 0; i < vocab; ++i)
      tokens.push_back(std::string("t").append(std::to_string(i)));
    b.texts("tokenizer.ggml.tokens", tokens);

    uint64_t queries = heads * headSize, keys = kvHeads * headSize;
    b.tensor("token_embd.weight", type, {dim, vocab});
    for (uint64_t l = 0; l < layers; ++l) {
      std::string layer = "blk." + std::to_string(l) + ".";
      b.tensor(layer + "attn_norm.weight", F32, {dim});
      b.tensor(layer + "attn_q.weight", type, {dim, queries});
      b.tensor(layer + "attn_k.weight", type, {dim, keys});
      b.tensor(layer + "attn_v.weight", type, {dim, keys});
      b.tensor(layer + "attn_output.weight", type, {queries, dim});
      b.tensor(layer + "ffn_norm.weight", F32, {dim});
      b.tensor(layer + "ffn_gate.weight", type, {dim, hidden});
      b.tensor(layer + "ffn_up.weight", type, {dim, hidden});
      b.tensor(layer + "ffn_down.weight", type, {hidden, dim});
    }
    b.tensor("output_norm.weight", F32, {dim});
    if (!tied)
      b.tensor("output.weight", type, {dim, vocab});
    return b;
  }
};

} // namespace corellama::test

#endif // CORELLAMA_TEST_COMPILER_CHECKPOINT_GGUFBUILDER_H
