//===- EndTexts.cpp - tokens whose texts say that an answer ends ----------===//
//
// See EndTexts.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/EndTexts.h"
#include "llvm/ADT/STLExtras.h"

using namespace corellama;

/// Many checkpoints name only one of them by id (in a chat model <|im_end|>
/// ends a turn and <|endoftext|> a document).
static constexpr std::string_view kEndTexts[] = {
    "<|im_end|>", "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>",
    "<|eom_id|>", "<|end|>",       "<|eot|>",         "</s>",
};

void corellama::addEndTexts(runtime::TextData &data) {
  for (auto [id, text] : llvm::enumerate(data.tokens))
    // A normal token may occur in a text, so it ends nothing.
    if (data.types[id] != runtime::TokenType::normal &&
        llvm::is_contained(kEndTexts, text))
      data.ends.push_back(static_cast<int32_t>(id));
  llvm::sort(data.ends);
  data.ends.erase(llvm::unique(data.ends), data.ends.end());
}
