//===- Perplexity.cpp - how well a program predicts a text ----------------===//
//
// See Perplexity.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Perplexity/Perplexity.h"
#include "compiler/Image/ProgramImage.h"
#include "compiler/Perplexity/Statistics.h"
#include "compiler/ProgramClient/ProgramClient.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include <algorithm>
#include <optional>

using namespace corellama;
using namespace corellama::perplexity;
using llvm::Error;
using llvm::Expected;
using llvm::formatv;
using llvm::StringRef;
using llvm::Twine;

/// Rows of logits that are held at once, of each program: 64 MiB for a
/// vocabulary of 131072.
static constexpr uint64_t kRows = 128;

namespace {
/// A program that gives ids and logits.
struct Source {
  std::string path;
  uint64_t vocabulary = 0;
  std::unique_ptr<ProgramClient> client;
  /// The text's.
  std::vector<int64_t> ids;
  bool beginsWithBos = false;
  int64_t bytesLeftOut = 0;
  /// -ln of the probability of each predicted id.
  std::vector<double> nll;
  std::vector<float> logits;

  Error start(StringRef program, const Options &options, StringRef text);
  /// The logits after the last `wanted` of some ids behind `depth` others.
  Error evaluate(uint64_t depth, llvm::ArrayRef<int64_t> ids, uint64_t wanted);
};
} // namespace

Error Source::start(StringRef program, const Options &options, StringRef text) {
  path = program.str();
  Expected<image::ImageView> view = image::openProgramImage(program);
  if (!view)
    return view.takeError();
  vocabulary = view->header.vocabulary;
  if (options.context > view->header.context)
    return llvm::createStringError("-c: is " + Twine(options.context) + ", " +
                                   path + " has a context of " +
                                   Twine(view->header.context));
  if (Error error = ProgramClient::start(program, "--score", options.threads,
                                         options.context)
                        .moveInto(client))
    return error;
  client->request("ids " + Twine(text.size()), text);
  Expected<std::vector<int64_t>> answer = client->numbers();
  if (!answer)
    return answer.takeError();
  if (answer->size() < 2)
    return llvm::createStringError(path + ": answered too few numbers");
  beginsWithBos = answer->front() != 0;
  bytesLeftOut = (*answer)[1];
  ids.assign(answer->begin() + 2, answer->end());
  return Error::success();
}

Error Source::evaluate(uint64_t depth, llvm::ArrayRef<int64_t> ids,
                       uint64_t wanted) {
  std::string line = ("logits " + Twine(depth) + " " + Twine(wanted)).str();
  for (int64_t id : ids)
    line += " " + std::to_string(id);
  client->request(line);
  logits.resize(wanted * vocabulary);
  return client->floats(logits);
}

namespace {
/// What is known of each predicted id besides its likelihoods.
struct Comparison {
  std::vector<double> divergence;
  /// 1 where both programs prefer the same id, else 0.
  std::vector<double> agreement;
};
} // namespace

static Error scoreWindow(llvm::ArrayRef<int64_t> window,
                         llvm::ArrayRef<Source *> sources,
                         Comparison &comparison) {
  uint64_t last = window.size() - 1;
  for (uint64_t begin = 0, end; begin < last; begin = end) {
    // The first half only fills the cache.
    bool isScored = begin >= window.size() / 2;
    end = isScored ? std::min(last, begin + kRows) : window.size() / 2;
    uint64_t rows = isScored ? end - begin : 0;
    // One after the other: they would take each other's CPUs.
    for (Source *source : sources)
      if (Error error =
              source->evaluate(begin, window.slice(begin, end - begin), rows))
        return error;
    for (uint64_t row = 0; row < rows; ++row) {
      llvm::SmallVector<Distribution, 2> next;
      for (Source *source : sources) {
        next.emplace_back(
            llvm::ArrayRef(source->logits)
                .slice(row * source->vocabulary, source->vocabulary));
        source->nll.push_back(
            next.back().negativeLogLikelihood(size_t(window[begin + row + 1])));
      }
      if (sources.size() == 1)
        continue;
      comparison.divergence.push_back(next[0].divergenceFrom(next[1]));
      comparison.agreement.push_back(next[0].likeliest() ==
                                     next[1].likeliest());
    }
  }
  return Error::success();
}

static void report(const Options &options, llvm::ArrayRef<Source *> sources,
                   const Comparison &comparison, llvm::raw_ostream &out) {
  const Source &program = *sources.front();
  const Source *reference = sources.size() > 1 ? sources[1] : nullptr;
  if (options.json) {
    llvm::json::OStream json(out, /*IndentSize=*/2);
    auto estimate = [&](StringRef name, Estimate estimate) {
      json.attribute(name, estimate.value);
      json.attribute((name + "_stderr").str(), estimate.error);
    };
    auto list = [&](StringRef name, llvm::ArrayRef<double> values) {
      json.attribute(name, llvm::json::Array(values));
    };
    json.object([&] {
      json.attribute("program", program.path);
      json.attribute("text", options.text);
      json.attribute("n_ctx", options.context);
      json.attribute("n_tokens", program.nll.size());
      estimate("perplexity", perplexityOf(program.nll));
      if (reference) {
        json.attribute("reference", reference->path);
        estimate("reference_perplexity", perplexityOf(reference->nll));
        estimate("kl_divergence", meanOf(comparison.divergence));
        estimate("top1_agreement", meanOf(comparison.agreement));
      }
      list("nll", program.nll);
      if (reference) {
        list("reference_nll", reference->nll);
        list("kl", comparison.divergence);
      }
    });
    out << '\n';
    return;
  }
  auto line = [&](StringRef name, Estimate estimate, StringRef unit = "") {
    out << formatv("{0,-22} {1:F4} ± {2:F4}{3}\n", name, estimate.value,
                   estimate.error, unit);
  };
  out << formatv("{0,-22} {1}, second halves of windows of {2}\n",
                 "predicted tokens", program.nll.size(), options.context);
  line("perplexity", perplexityOf(program.nll));
  if (!reference)
    return;
  line("of the reference", perplexityOf(reference->nll));
  line("KL divergence", meanOf(comparison.divergence), " nats a token");
  out << formatv("{0,-22} {1:F4}, {2:F4}, {3:F4}\n", "median, 99%, largest",
                 quantile(comparison.divergence, 0.5),
                 quantile(comparison.divergence, 0.99),
                 quantile(comparison.divergence, 1));
  Estimate agreement = meanOf(comparison.agreement);
  line("same likeliest token", {100 * agreement.value, 100 * agreement.error},
       " %");
}

Error perplexity::run(const Options &options, llvm::raw_ostream &out,
                      llvm::function_ref<void(const Twine &)> progress) {
  auto text = llvm::MemoryBuffer::getFileOrSTDIN(options.text);
  if (!text)
    return llvm::createStringError(
        (options.text == "-" ? "standard input" : options.text) +
        ": cannot be read: " + text.getError().message());
  Source program, reference;
  llvm::SmallVector<Source *, 2> sources = {&program};
  progress("tokenizing the text");
  if (Error error =
          program.start(options.program, options, (*text)->getBuffer()))
    return error;
  if (!options.reference.empty()) {
    sources.push_back(&reference);
    if (Error error =
            reference.start(options.reference, options, (*text)->getBuffer()))
      return error;
    if (reference.vocabulary != program.vocabulary ||
        reference.ids != program.ids)
      return llvm::createStringError(
          options.reference + ": has other ids for this text than " +
          options.program + "; give programs of one model as --reference");
  }
  llvm::ArrayRef<int64_t> ids = program.ids;
  uint64_t windows = ids.size() / options.context;
  if (windows == 0)
    return llvm::createStringError(
        options.text + ": has " + Twine(ids.size()) + " tokens, a window has " +
        Twine(options.context) + "; give a longer text or a smaller -c");
  Comparison comparison;
  for (uint64_t i = 0; i < windows; ++i) {
    progress("window " + Twine(i + 1) + " of " + Twine(windows));
    std::vector<int64_t> window =
        ids.slice(i * options.context, options.context).vec();
    if (program.beginsWithBos)
      window.front() = ids.front();
    if (Error error = scoreWindow(window, sources, comparison))
      return error;
  }
  progress("writing the figures");
  report(options, sources, comparison, out);
  return Error::success();
}
