//===- GrammarFuzzReplay.cpp - damaged grammars, without a fuzzer ---------===//
//
// Rules of GBNF in any order and small schemas inside of each other, cut and
// with flipped bytes -> the rules of GrammarVerify.h, under the sanitizers.
// Files on the command line, such as those that a fuzzer found, are replayed
// too. A file of its own because no fuzzing engine is needed.
//
//===----------------------------------------------------------------------===//

#include "Draws.h"
#include "GrammarVerify.h"

namespace corellama::test {
namespace {

/// What a rule may be, of the rules root, a and b; all of the notation.
constexpr std::string_view kBodies[] = {
    "\"a\" b? | \"b\" # comment",
    "[a-c^\\]x-] [^a-c\\n] .",
    "(\"ab\" | \"a\" | \"abc\"){2,9} \"c\"+",
    "[ab]{60,} \"c\"",
    "\"a\" root \"b\" | \"[\" root \"]\" | \"\\\"\" [^\"]* \"\\\"\"",
    "(\"a\" (\n | \"b\"\n)*)+ \"\\x41\\u00e9\\U0001F600\"",
    "a | \"\" | [\\u4e00-\\u9fff]{1,3}",
    "\"a\"{0} (\"b\"?)* \"c\"{3}",
    "b \"a\" a? | \"abababab\"",
    "[a-z]{2,70} | []",
};
/// `@` is a schema.
constexpr std::string_view kSchemas[] = {
    R"({"type":"object","properties":{"a":@,"b/c":@},"required":["a"]})",
    R"({"type":"object","properties":{"ab":@,"a\n":true},)"
    R"("additionalProperties":@})",
    R"({"type":"array","items":@,"minItems":1,"maxItems":3})",
    R"({"prefixItems":[@,@],"items":false})",
    R"({"type":["string","null"],"minLength":2,"maxLength":40})",
    R"({"type":"string","pattern":"^[a-c\\d]{1,3}(?:\\n|\\u00e9)*.$"})",
    R"({"type":"string","format":"date"})",
    R"({"type":"integer","minimum":-12,"exclusiveMaximum":9007})",
    R"({"type":"number","exclusiveMinimum":-3,"maximum":7})",
    R"({"enum":["a\n",1.5,null,{"k":[true]}]})",
    R"({"const":-0.0})",
    R"({"oneOf":[{"type":"null"},{"type":"array","items":{"$ref":"#"}}]})",
    R"({"anyOf":[@,{"$ref":"#/$defs/d"}],"$defs":{"d":@}})",
    "true",
    "{}",
};

std::string drawSchema(Random &random, int level) {
  std::string schema(kSchemas[random() % std::size(kSchemas)]);
  for (size_t at = 0; (at = schema.find('@', at)) != schema.npos;)
    schema.replace(at, 1, level < 2 ? drawSchema(random, level + 1) : "{}");
  return schema;
}

std::string draw(Random &random) {
  std::string input;
  if (random() % 2) {
    input = drawSchema(random, 0);
  } else {
    auto body = [&] { return kBodies[random() % std::size(kBodies)]; };
    for (const char *name : {"root", "a", "b"})
      (((input += name) += " ::= ") += body()) += "\n";
  }
  // Half of them whole: most damage is refused.
  if (random() % 2)
    input = damaged(input, random);
  input += '\0';
  for (int i = 0; i < 12; ++i)
    input += static_cast<char>(random());
  return input;
}

TEST(GrammarFuzzReplay, DamagedGrammars) {
  Random random(12);
  int accepted = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string input = draw(random);
    GrammarVerdict verdict = verifyGrammar(input);
    ASSERT_EQ(verdict.fault, "") << i << ": " << input;
    ++(verdict.accepted ? accepted : refused);
  }
  // Neither half may be empty: the draws would not reach the rules.
  EXPECT_GT(accepted, 300);
  EXPECT_GT(refused, 300);
}

TEST(GrammarFuzzReplay, CutAtEveryByte) {
  std::string rules = "root ::= \"x\"\n";
  for (size_t i = 0; i < std::size(kBodies); ++i)
    (((rules += "r") += std::to_string(i)) += " ::= ") += kBodies[i];
  for (std::string_view whole : {std::string_view(rules), kSchemas[5]})
    for (size_t size = 0; size <= whole.size(); ++size)
      ASSERT_EQ(verifyGrammar(whole.substr(0, size)).fault, "") << size;
}

} // namespace
} // namespace corellama::test

int main(int argc, char **argv) {
  return corellama::test::replay(argc, argv, [](std::string_view input) {
    return corellama::test::verifyGrammar(input).fault;
  });
}
