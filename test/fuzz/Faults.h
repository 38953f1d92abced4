//===- Faults.h - rules that several fuzz targets judge by ------*- C++ -*-===//
//
// An answer of the runtime -> nothing, or what is wrong with it: errors are one
// line, JSON that was read is written so that it is read again, and what stands
// in messages alone stays content. A file of its own because templates,
// messages and grammars are judged by the same rules.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_FAULTS_H
#define CORELLAMA_TEST_FUZZ_FAULTS_H

#include "runtime/Templates/Json.h"
#include "runtime/Templates/String.h"
#include <string>
#include <string_view>

namespace corellama::test {

/// Stands in messages of ours and in no template, unless that spells it.
inline constexpr std::string_view kPlanted = "\xEE\x80\x81"; // U+E001

/// An error is one line of printable characters.
inline std::string faultOfMessage(const std::string &message) {
  if (message.empty())
    return "an error without a message";
  for (char c : message)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F')
      return "an error of several lines: " + message;
  return "";
}

inline std::string faultOfJson(std::string_view text) {
  using namespace runtime::templates;
  auto value = parseJson(text);
  if (!value)
    return faultOfMessage(value.error());
  auto written = writeJson(*value, {});
  if (!written)
    return faultOfMessage(written.error());
  auto again = parseJson(written->view());
  if (!again)
    return "written JSON is no JSON: " + again.error();
  auto twice = writeJson(*again, {});
  return twice && *twice == *written ? "" : "JSON is written in two ways";
}

/// Of a text whose template cannot spell the planted character.
inline std::string faultOfMarks(const runtime::templates::String &text) {
  using runtime::templates::Origin;
  for (size_t at = text.view().find(kPlanted); at != std::string_view::npos;
       at = text.view().find(kPlanted, at + 1))
    for (size_t i = at; i < at + kPlanted.size(); ++i)
      if (text.originAt(i) != Origin::Content)
        return "a message's byte became the template's";
  return "";
}

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_FAULTS_H
