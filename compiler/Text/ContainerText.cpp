//===- ContainerText.cpp - the text part of any checkpoint ----------------===//
//
// See ContainerText.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/ContainerText.h"
#include "compiler/Checkpoint/GGUFContainer.h"
#include "compiler/Text/GGUFText.h"
#include "compiler/Text/HuggingFaceText.h"
#include "compiler/Text/Llama2cText.h"
#include "llvm/Support/Casting.h"

using namespace corellama;
using checkpoint::Container;
using checkpoint::GGUFContainer;

ContainerText corellama::readText(const Container &container) {
  ContainerText text;
  switch (container.kind()) {
  case Container::Kind::GGUF: {
    const checkpoint::GGUF &gguf = llvm::cast<GGUFContainer>(container).gguf();
    text.data = readText(gguf);
    text.namesTokenizer = namesTokenizer(gguf);
    text.chatTemplate = readChatTemplate(gguf);
    break;
  }
  case Container::Kind::HuggingFace:
    return readText(llvm::cast<checkpoint::HuggingFaceContainer>(container));
  case Container::Kind::Llama2c:
    return readText(llvm::cast<checkpoint::Llama2cContainer>(container));
  }
  return text;
}
