//===- GGUFTest.cpp - containers that are refused -------------------------===//
//
// One row for each rule of the container: a well-formed file, broken in one
// way -> the message, whole.
//
//===----------------------------------------------------------------------===//

#include "CheckpointTesting.h"
#include "gtest/gtest.h"

using namespace corellama::test;

namespace {

const Refusal kRefusals[] = {
    {"magic", [](GGUFBuilder &b) { b.magic = "GGML"; },
     "header: magic is 'GGML', expected 'GGUF'; give a checkpoint in the GGUF "
     "format"},
    {"magic_is_escaped", [](GGUFBuilder &b) { b.magic = "\x1b[2\n"; },
     "header: magic is '\\x1b[2\\x0a', expected 'GGUF'; give a checkpoint in "
     "the GGUF format"},
    {"version_1", [](GGUFBuilder &b) { b.version = 1; },
     "header: version is 1, expected 2 or 3; convert the model again with a "
     "current llama.cpp"},
    {"version_4", [](GGUFBuilder &b) { b.version = 4; },
     "header: version is 4, expected 2 or 3; convert the model again with a "
     "current llama.cpp"},
    {"big_endian", [](GGUFBuilder &b) { b.version = 3u << 24; },
     "header: version is big-endian, expected a little-endian file; convert "
     "the model again without --bigendian"},
    {"tensor_count", [](GGUFBuilder &b) { b.tensorCount = ~uint64_t(0); },
     "header: tensor count is 18446744073709551615, at most 7617 fit in the "
     "251376 bytes that follow; the file is incomplete or damaged, fetch it "
     "again"},
    {"tensor_count_just_too_large",
     [](GGUFBuilder &b) { b.tensorCount = b.build().size() / 33; },
     "header: tensor count is 7617, at most 7600 fit in the 250824 bytes that "
     "follow; the file is incomplete or damaged, fetch it again"},
    {"tensor_count_larger_than_the_table",
     [](GGUFBuilder &b) { b.tensorCount = 22; },
     "tensor 22 of 22: the name takes 576742227280134144 bytes at byte 1794, "
     "file has 251392; the file is incomplete or damaged, fetch it again"},
    {"key_count", [](GGUFBuilder &b) { b.keyCount = uint64_t(1) << 63; },
     "header: key count is 9223372036854775808, at most 17954 fit in the "
     "251368 bytes that follow; the file is incomplete or damaged, fetch it "
     "again"},
    {"nothing",
     [](GGUFBuilder &b) {
       b.keys.clear();
       b.tensors.clear();
     },
     "metadata 'general.architecture': is missing, expected 'llama', "
     "'qwen2', 'qwen3' or 'granite'; convert "
     "the model again with a current llama.cpp"},
    {"empty_key", [](GGUFBuilder &b) { b.u32("", 1); },
     "metadata key 13 of 13: the key has 0 bytes, expected 1 to 65535; the "
     "file is incomplete or damaged, fetch it again"},
    {"long_key", [](GGUFBuilder &b) { b.u32(std::string(65536, 'k'), 1); },
     "metadata key 13 of 13: the key has 65536 bytes, expected 1 to 65535; the "
     "file is incomplete or damaged, fetch it again"},
    {"key_twice", [](GGUFBuilder &b) { b.keys.push_back(b.keys[3]); },
     "metadata 'llama.context_length': appears twice, expected once; the file "
     "is incomplete or damaged, fetch it again"},
    {"value_type", [](GGUFBuilder &b) { b.keys[2].type = 13; },
     "metadata 'llama.block_count': the value's type is 13, expected 0 to 12; "
     "the file is incomplete or damaged, fetch it again"},
    {"string_length",
     [](GGUFBuilder &b) {
       GGUFBuilder::put(b.keys[0].payload = "", ~uint64_t(0));
     },
     "metadata 'general.architecture': the value takes 18446744073709551615 "
     "bytes at byte 64, file has 251392; the file is incomplete or damaged, "
     "fetch it again"},
    {"bool_of_2", [](GGUFBuilder &b) { b.flag("tokenizer.flag", 2); },
     "metadata 'tokenizer.flag': the value is 2, expected 0 or 1 for a bool; "
     "the file is incomplete or damaged, fetch it again"},
    {"array_of_arrays",
     [](GGUFBuilder &b) { b.array("tokenizer.nested", kArray, 0); },
     "metadata 'tokenizer.nested': the value is an array of arrays, expected "
     "an array of numbers or strings; convert the model again without this "
     "key"},
    {"array_element_type",
     [](GGUFBuilder &b) { b.array("tokenizer.a", 77, 0); },
     "metadata 'tokenizer.a': the array's element type is 77, expected 0 to "
     "12; the file is incomplete or damaged, fetch it again"},
    {"array_length",
     [](GGUFBuilder &b) { b.array("tokenizer.a", kInt64, 1u << 30); },
     "metadata 'tokenizer.a': the array's length is 1073741824, at most 31352 "
     "fit in the 250821 bytes that follow; the file is incomplete or damaged, "
     "fetch it again"},
    {"array_length_that_would_overflow",
     [](GGUFBuilder &b) {
       b.array("tokenizer.a", kInt64, (uint64_t(1) << 61) + 1);
     },
     "metadata 'tokenizer.a': the array's length is 2305843009213693953, at "
     "most 31352 fit in the 250821 bytes that follow; the file is incomplete "
     "or damaged, fetch it again"},
    {"string_array_length",
     [](GGUFBuilder &b) { b.array("tokenizer.a", kString, 1u << 30); },
     "metadata 'tokenizer.a': the array's length is 1073741824, at most 31352 "
     "fit in the 250821 bytes that follow; the file is incomplete or damaged, "
     "fetch it again"},
    {"string_array_element",
     [](GGUFBuilder &b) {
       GGUFBuilder::put(b.array("tokenizer.a", kString, 1).payload, uint64_t(1)
                                                                        << 40);
     },
     "metadata 'tokenizer.a': element 0 takes 1099511627776 bytes at byte 611, "
     "file has 251456; the file is incomplete or damaged, fetch it again"},
    {"bool_array_element",
     [](GGUFBuilder &b) {
       b.numbers<uint8_t>("tokenizer.a", kBool, {1, 0, 255});
     },
     "metadata 'tokenizer.a': element 2 is 255, expected 0 or 1 for a bool; "
     "the file is incomplete or damaged, fetch it again"},
    {"alignment_0", [](GGUFBuilder &b) { b.u32("general.alignment", 0); },
     "metadata 'general.alignment': is 0, expected a power of two from 8 to "
     "1048576; convert the model again with the default alignment"},
    {"alignment_4", [](GGUFBuilder &b) { b.u32("general.alignment", 4); },
     "metadata 'general.alignment': is 4, expected a power of two from 8 to "
     "1048576; convert the model again with the default alignment"},
    {"alignment_48", [](GGUFBuilder &b) { b.u32("general.alignment", 48); },
     "metadata 'general.alignment': is 48, expected a power of two from 8 to "
     "1048576; convert the model again with the default alignment"},
    {"alignment_2_31",
     [](GGUFBuilder &b) { b.u32("general.alignment", 1u << 31); },
     "metadata 'general.alignment': is 2147483648, expected a power of two "
     "from 8 to 1048576; convert the model again with the default alignment"},
    {"alignment_type",
     [](GGUFBuilder &b) { b.text("general.alignment", "32"); },
     "metadata 'general.alignment': is '32', expected a power of two from 8 to "
     "1048576; convert the model again with the default alignment"},
    {"tensor_name_empty", [](GGUFBuilder &b) { b.tensors[1].name = ""; },
     "tensor 2 of 21: the name has 0 bytes, expected 1 to 64; the file is "
     "incomplete or damaged, fetch it again"},
    {"tensor_name_twice",
     [](GGUFBuilder &b) { b.tensors[3].name = b.tensors[4].name; },
     "tensor 'blk.0.attn_v.weight': appears twice, expected once; the file is "
     "incomplete or damaged, fetch it again"},
    {"dimensions_0", [](GGUFBuilder &b) { b.tensors[1].dimensions = {}; },
     "tensor 'blk.0.attn_norm.weight': the number of dimensions is 0, expected "
     "1 to 4; the file is incomplete or damaged, fetch it again"},
    {"dimensions_5",
     [](GGUFBuilder &b) { b.tensors[1].dimensions = {1, 1, 1, 1, 1}; },
     "tensor 'blk.0.attn_norm.weight': the number of dimensions is 5, expected "
     "1 to 4; the file is incomplete or damaged, fetch it again"},
    {"dimension_0", [](GGUFBuilder &b) { b.tensors[1].dimensions = {64, 0}; },
     "tensor 'blk.0.attn_norm.weight': dimension 1 is 0, expected 1 to "
     "2147483647; the file is incomplete or damaged, fetch it again"},
    {"tensor_name_long",
     [](GGUFBuilder &b) { b.tensors[1].name.assign(65, 'n'); },
     "tensor 2 of 21: the name has 65 bytes, expected 1 to 64; the file is "
     "incomplete or damaged, fetch it again"},
    {"offset_beyond_the_file",
     [](GGUFBuilder &b) { b.tensors[1].offset = 251424; },
     "tensor 'blk.0.attn_norm.weight': begins beyond byte 251424, file has "
     "251392; the file is incomplete or damaged, fetch it again"},
    {"offset_close_to_64_bits",
     [](GGUFBuilder &b) { b.tensors[1].offset = ~uint64_t(0) - 31; },
     "tensor 'blk.0.attn_norm.weight': begins beyond byte "
     "18446744073709551584, file has 251392; the file is incomplete or "
     "damaged, fetch it again"},
    {"offset_unaligned", [](GGUFBuilder &b) { b.tensors[1].offset = 33; },
     "tensor 'blk.0.attn_norm.weight': the offset is 33, expected a multiple "
     "of the alignment 32; the file is incomplete or damaged, fetch it again"},
};

} // namespace

INSTANTIATE_TEST_SUITE_P(Container, CheckpointRefuses,
                         testing::ValuesIn(kRefusals), nameOfRefusal);
