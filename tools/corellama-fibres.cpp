//===- corellama-fibres.cpp - a checkpoint as GPU code, without a GPU -----===//
//
// A developer's and a test's tool: the decode step of a GPU's target, run on
// fibres, token by token. Prints the ids that it chose greedily.
//
//   corellama-fibres model.gguf --target=cuda:sm_80 --ids 1,2,3 -n 4
//
//===----------------------------------------------------------------------===//

#include "compiler/Runner/FibreProgram.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace corellama;
namespace cl = llvm::cl;

namespace {

/// Copies of the options, which lld resets before it links.
struct Arguments {
  std::string checkpoint, logitsOut;
  std::vector<int32_t> ids;
  unsigned count;
  bool prefill;
  FibreProgramOptions options;
};

} // namespace

static Arguments parseArguments(int argc, char **argv) {
  // LLVM keeps pointers to them for as long as the process lives.
  static cl::OptionCategory ours("corellama-fibres");
  static cl::opt<std::string> checkpoint(cl::Positional, cl::Required,
                                         cl::desc("CHECKPOINT"), cl::cat(ours));
  static cl::opt<std::string> target(
      "target", cl::init("cuda:sm_80"), cl::cat(ours),
      cl::desc("the GPU: cuda:sm_80 or cuda:sm_90a"));
  static cl::list<int32_t> ids("ids", cl::CommaSeparated, cl::OneOrMore,
                               cl::cat(ours), cl::desc("ids of the prompt"));
  static cl::opt<unsigned> count("n", cl::init(1), cl::cat(ours),
                                 cl::desc("how many ids to choose after them"));
  static cl::opt<std::string> seed(
      "seed", cl::cat(ours),
      cl::desc("run blocks and threads in an order that this number decides"));
  static cl::opt<std::string> logitsOut(
      "logits-out", cl::cat(ours),
      cl::desc("write the logits of all tokens: float32, row by row"));
  static cl::opt<std::string> cacheType("cache-type", cl::init("f32"),
                                        cl::cat(ours), cl::desc("f32 or f16"));
  static cl::opt<std::string> activations(
      "activations", cl::init("f32"), cl::cat(ours), cl::desc("f32 or auto"));
  static cl::opt<bool> prefill("prefill", cl::cat(ours),
                               cl::desc("the prompt as one prefill call"));
  static cl::opt<bool> unchecked(
      "no-conflicts", cl::cat(ours),
      cl::desc("do not look for accesses without order"));
  cl::HideUnrelatedOptions(ours);
  cl::ParseCommandLineOptions(argc, argv, "GPU kernels on this CPU's fibres\n");

  Arguments arguments{checkpoint, logitsOut, {ids.begin(), ids.end()},
                      count,      prefill,   {}};
  FibreProgramOptions &options = arguments.options;
  options.target = target;
  options.activations = activations;
  options.cacheType = cacheType;
  options.positions = ids.size() + count;
  options.chunk = ids.size();
  options.fibres.findConflicts = !unchecked;
  uint64_t number;
  if (llvm::to_integer(llvm::StringRef(seed), number))
    options.fibres.seed = number;
  else if (!seed.empty()) {
    llvm::errs() << "corellama-fibres: --seed: '" << seed
                 << "' is no number from 0 to 2^64 - 1\n";
    exit(2);
  }
  return arguments;
}

static llvm::Error run(const Arguments &arguments) {
  auto checkpoint = checkpoint::openCheckpoint(arguments.checkpoint);
  if (!checkpoint)
    return checkpoint.takeError();
  for (int32_t id : arguments.ids)
    if (id < 0 || static_cast<uint64_t>(id) >= checkpoint->config().vocab)
      return llvm::createStringError(
          "--ids: " + llvm::Twine(id) +
          " is no id of this checkpoint, which "
          "has 0 to " +
          llvm::Twine(checkpoint->config().vocab - 1));
  auto program = FibreProgram::compile(*checkpoint, arguments.options);
  if (!program)
    return program.takeError();
  std::vector<float> logits;
  if (llvm::Error error = arguments.prefill
                              ? (*program)->prefill(arguments.ids, logits)
                              : (*program)->decode(arguments.ids, logits))
    return error;
  std::vector<int32_t> chosen;
  while (chosen.size() < arguments.count) {
    auto row = logits.end() - static_cast<ptrdiff_t>((*program)->vocabulary());
    // The first of the largest, as in a program.
    chosen.push_back(
        static_cast<int32_t>(std::max_element(row, logits.end()) - row));
    if (chosen.size() == arguments.count)
      break;
    if (llvm::Error error = (*program)->decode(chosen.back(), logits))
      return error;
  }
  llvm::outs() << llvm::join(llvm::map_range(
                                 chosen,
                                 [](int32_t id) { return std::to_string(id); }),
                             ",")
               << "\n";
  if (arguments.logitsOut.empty())
    return llvm::Error::success();
  return llvm::writeToOutput(arguments.logitsOut, [&](llvm::raw_ostream &out) {
    out.write(reinterpret_cast<const char *>(logits.data()),
              logits.size() * sizeof(float));
    return llvm::Error::success();
  });
}

int main(int argc, char **argv) {
  Arguments arguments = parseArguments(argc, argv);
  if (llvm::Error error = run(arguments)) {
    llvm::errs() << "corellama-fibres: " << llvm::toString(std::move(error))
                 << "\n";
    return 1;
  }
  return 0;
}
