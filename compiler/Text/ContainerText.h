//===- ContainerText.h - the text part of any checkpoint --------*- C++ -*-===//
//
// A container of checkpoints -> TextData. A file of its own because it alone
// knows which reader of text each format needs.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_CONTAINERTEXT_H
#define CORELLAMA_COMPILER_TEXT_CONTAINERTEXT_H

#include "compiler/Checkpoint/Container.h"
#include "runtime/Tokenizer/TextData.h"
#include <optional>
#include <string_view>

namespace corellama {

/// What a checkpoint says of text. Views the container.
struct ContainerText {
  /// A tokenizer that is missing, not supported or damaged is no error:
  /// programs run on ids then, and `whyNone` names the place and what is wrong.
  runtime::TextData data;
  /// Whether the checkpoint names a tokenizer, known or not.
  bool namesTokenizer = false;
  /// Also where there is no tokenizer that is known.
  std::optional<std::string_view> chatTemplate;
};

ContainerText readText(const checkpoint::Container &container);

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_CONTAINERTEXT_H
