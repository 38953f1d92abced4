//===- JsonSchemaTest.cpp - a JSON schema as a grammar of its values ------===//
//
// What is in a schema's grammar: forms of white space, the order of properties,
// escapes. That all of it is valid, and what is refused, test_grammar.py says.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/JsonSchema.h"

#include "test/runtime/Grammar/Matching.h"

#include <chrono>
#include <vector>

using namespace corellama::runtime::grammar;
using namespace corellama::runtime::grammar::test;

TEST(JsonSchema, Texts) {
  const struct {
    const char *schema;
    std::vector<std::string> whole, others;
  } cases[] = {
      {R"({"type":"array","items":{"type":"null"}})",
       {"[]", "[ ]", "[null,null]", "[null, null]", "[\n  null,\n\tnull\n]",
        "[null,\n" + std::string(20, ' ') + "null]"},
       {"[null ,null]", "[  ]", " []", "[] ", "[\n\nnull]",
        "[null,\n" + std::string(21, ' ') + "null]", "[null,]"}},
      {R"({"properties":{"b":{"type":"null"},"a":{"type":"null"}},
           "required":["a"],"type":"object","additionalProperties":false})",
       {R"({"a":null})", R"({"b": null, "a": null})"},
       {R"({})", R"({"a":null,"b":null})", R"({"b":null})",
        R"({"a":null,"c":null})", R"({"a" :null})"}},
      {R"({"properties":{"ab":{"type":"null"}},"type":"object",
           "additionalProperties":{"type":"null"}})",
       {R"({})", R"({"a":null})", R"({"abc":null,"":null})", R"({"ab":null})",
        R"({"ab":null,"b":null})"},
       {R"({"b":null,"ab":null})", R"({"\u0061b":null})"}},
      {R"({"type":"string","minLength":2,"maxLength":2})",
       {R"("éx")", R"("\n\"")", R"("\u00e9\uD83d\uDe00")", "\"😀😀\""},
       {R"("é")", R"("abc")", R"("\ud83d")", "\"a\n\"", R"("\x41b")"}},
      {R"({"type":"string","pattern":"^[\"\\\\\\n]x$"})",
       {R"("\"x")", R"("\\x")", R"("\nx")"},
       {"\"\nx\"", R"("x")", R"("\u000ax")"}},
      {R"({"const":{"k":["ü\n",1.5,-0.0]}})",
       {R"({"k":["ü\n",1.5,-0.0]})"},
       {R"({"k": ["ü\n",1.5,-0.0]})"}},
      {R"({"type":"number"})",
       {"0", "-1.5e+10", "2E3", "123456789012345.123456789012345"},
       {"1e100", "01", "1.", "-"}},
      {R"(true)",
       {R"({"a":[1,{"b":null},"x"],"c":true})", "[[[[]]]]", "false"},
       {"nul", "{1:2}"}},
      {R"({"type":"array","prefixItems":[{"const":1},{"const":2}],"items":
           {"const":3},"minItems":1,"maxItems":3})",
       {"[1]", "[1,2]", "[1,2,3]"},
       {"[]", "[2]", "[1,3]", "[1,2,3,3]"}},
      {R"({"oneOf":[{"type":"null"},{"$ref":"#/$defs/a%"}],
           "$defs":{"a%":{"type":"boolean"}}})",
       {"null", "true"},
       {"1"}},
  };
  for (const auto &[schema, whole, others] : cases) {
    auto grammar = parseJsonSchema(schema);
    ASSERT_TRUE(grammar) << grammar.error();
    Matching fit(*grammar);
    for (const std::string &text : whole)
      EXPECT_EQ(fit(text), Fit::whole) << schema << " <- " << text;
    for (const std::string &text : others)
      EXPECT_NE(fit(text), Fit::whole) << schema << " <- " << text;
  }
}

/// Schemas that are made to take long, and those that are no JSON.
TEST(JsonSchema, HostileOnes) {
  auto error = [](const std::string &schema) {
    auto grammar = parseJsonSchema(schema);
    return grammar ? std::string() : grammar.error();
  };
  EXPECT_EQ(error("{\"a"), "byte 3 of the JSON: a string without its closing "
                           "quote");
  EXPECT_EQ(error("\"\xFF\""), "byte 1 is no UTF-8; save the schema as UTF-8");
  EXPECT_EQ(error("3"), "#: expected a schema: an object, true or false");
  EXPECT_EQ(error(R"({"properties":{"a/b":{"type":3}}})"),
            "#/properties/a~1b/type: expected null, boolean, integer, number, "
            "string, object or array, or a list of these");
  // A name may have what moves a terminal's cursor, or be long.
  EXPECT_EQ(
      error(R"({"properties":{"a\n\u001b[2J":3}})"),
      "#/properties/a\\x0a\\x1b[2J: expected a schema: an object, true or "
      "false");
  const std::string deep =
      error("{\"properties\":{\"" + std::string(3000, 'a') + "\":3}}");
  EXPECT_LT(deep.size(), 510u);
  EXPECT_TRUE(deep.ends_with(": expected a schema: an object, true or false"));
  EXPECT_EQ(error(R"({"type":"string","anyOf":[{"$ref":"#/$defs/a"}],
                      "$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}})"),
            "#/$defs/a/anyOf/0: 'type' around a '$ref' that leads back here is "
            "not supported; leave 'type' out");
  // Each definition names the next one ten times, with 'type' around all.
  std::string wide =
      R"({"type":"string","anyOf":[{"$ref":"#/$defs/d0"}],"$defs":{)";
  for (int i = 0; i < 15; ++i) {
    wide += "\"d" + std::to_string(i) + "\":{\"anyOf\":[";
    for (int k = 0; k < 10; ++k)
      wide += std::string(k ? "," : "") + "{\"$ref\":\"#/$defs/d" +
              std::to_string(i + 1) + "\"}";
    wide += "]},";
  }
  wide += R"("d15":{"type":"string"}}})";
  EXPECT_NE(error(wide).find("parts; make it smaller"), std::string::npos);
  // A chain of references is read one by one.
  std::string chain = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 20000; ++i)
    chain += "\"d" + std::to_string(i) + "\":{\"$ref\":\"#/$defs/d" +
             std::to_string(i + 1) + "\"},";
  EXPECT_EQ(error(chain + R"("d20000":true}})"), "");
  std::string name(300, 'a');
  EXPECT_EQ(error("{\"type\":\"object\",\"properties\":{\"" + name +
                  "\":true},\"additionalProperties\":true}"),
            "#: a property's name has more than 200 characters, beside "
            "'additionalProperties'; set additionalProperties to false");
}

/// What is compared pair by pair, or written for each schema, is not the
/// product of all that a file may have.
TEST(JsonSchema, WorkIsBounded) {
  auto error = [](const std::string &schema) {
    auto begin = std::chrono::steady_clock::now();
    auto grammar = parseJsonSchema(schema);
    double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
            .count();
    // A bound for hangs only: machines differ.
    EXPECT_LT(took, 7) << schema.substr(0, 60);
    return grammar ? std::string() : grammar.error();
  };
  auto listed = [](int count, auto text) {
    std::string all;
    for (int i = 0; i < count; ++i)
      all += (i ? "," : "") + text(std::to_string(i));
    return all;
  };
  // The types of what leads back to itself, for each pair of alternatives.
  const std::string back = listed(100, [](const std::string &i) {
    return R"({"type":"object","anyOf":[{"$ref":"#/$defs/a"}],"properties":)"
           R"({"k":{"const":)" +
           i + R"(}},"required":["k"]})";
  });
  EXPECT_NE(error(R"({"prefixItems":[)" +
                  listed(30,
                         [&](const std::string &) {
                           return "{\"oneOf\":[" + back + "]}";
                         }) +
                  R"(],"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},)"
                  R"({"$ref":"#/$defs/a"}]}}})")
                .find("a value may fit"),
            std::string::npos);
  // Each value with each of the others.
  EXPECT_NE(error("{\"oneOf\":[" +
                  listed(100,
                         [&](const std::string &i) {
                           return "{\"enum\":[" +
                                  listed(1000,
                                         [&](const std::string &k) {
                                           return "[" + i + ",[" + k + "]]";
                                         }) +
                                  "]}";
                         }) +
                  "]}")
                .find("a value may fit"),
            std::string::npos);
  // As many as people write.
  EXPECT_EQ(error("{\"oneOf\":[" +
                  listed(50,
                         [&](const std::string &i) {
                           return "{\"enum\":[" +
                                  listed(20,
                                         [&](const std::string &k) {
                                           return "\"" + i + "-" + k + "\"";
                                         }) +
                                  "]}";
                         }) +
                  "]}"),
            "");
  // A place is the names of all that is around it.
  EXPECT_TRUE(
      error("{\"properties\":{\"" + std::string(5000, 'n') +
            "\":{\"properties\":{\"a\":{}}}}}")
          .ends_with(": a place of more than 4096 bytes is not supported; "
                     "shorten the names that lead here"));
}
