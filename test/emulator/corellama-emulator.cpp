//===- corellama-emulator.cpp - a checkpoint as GPU code, without a GPU ---===//
//
// A developer's and a test's tool: the decode step of a GPU's target, run on
// fibres, token by token. Prints the ids that it chose greedily. Ends with 1
// and one line where it cannot, with 2 and one line where it was asked wrongly,
// as the driver does.
//
//   corellama-emulator model.gguf --target=cuda:sm_80 --ids 1,2,3 -n 4
//
//===----------------------------------------------------------------------===//

#include "test/emulator/EmulatorProgram.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <limits>

using namespace corellama;
using llvm::Error;
using llvm::StringRef;
namespace cl = llvm::cl;

static constexpr const char *kName = "corellama-emulator";

//===----------------------------------------------------------------------===//
// The command line
//===----------------------------------------------------------------------===//

namespace {

/// Copies of the options, which lld resets before it links.
struct Arguments {
  std::string checkpoint, logitsOut;
  std::vector<int32_t> ids;
  uint32_t count;
  /// Ids of the prompt in a call.
  uint64_t most;
  EmulatorProgramOptions options;
};

} // namespace

[[noreturn]] static void usageError(const llvm::Twine &message) {
  llvm::errs() << kName << ": " << message << "; '" << kName
               << " --help' says more\n";
  exit(2);
}

/// A whole number of `option`. Parsed here and not by LLVM's number options,
/// whose bounds are those of the type and whose messages differ.
template <typename T> static T readNumber(StringRef option, StringRef word) {
  T number;
  if (!llvm::to_integer(word, number, 10))
    usageError(option + ": '" + word + "' is no number from 0 to " +
               llvm::Twine(std::numeric_limits<T>::max()));
  return number;
}

/// Ascending numbers, as corellama's option of this name has them.
static std::vector<int64_t> readRows(StringRef words) {
  std::vector<int64_t> rows;
  int64_t last = 0;
  for (StringRef word : llvm::split(words, ',')) {
    if (!llvm::to_integer(word, rows.emplace_back(), 10) || rows.back() <= last)
      usageError("--rows: '" + words +
                 "' are no ascending numbers separated by commas, as in 1,8");
    last = rows.back();
  }
  return rows;
}

static std::vector<int32_t> readIds(StringRef words) {
  std::vector<int32_t> ids;
  for (StringRef word : llvm::split(words, ','))
    if (!llvm::to_integer(word, ids.emplace_back(), 10))
      usageError("--ids: '" + words +
                 "' are no ids separated by commas, as in 1,2,3");
  return ids;
}

static void checkOneOf(StringRef option, StringRef word,
                       llvm::ArrayRef<StringRef> words) {
  if (!llvm::is_contained(words, word))
    usageError(option + ": '" + word + "' is none of " +
               llvm::join(words, ", "));
}

/// LLVM's parser prints errors in lines that begin with the program's name.
static std::string oneLine(StringRef text) {
  std::string line;
  for (StringRef part : llvm::split(text.trim(), '\n')) {
    part.consume_front(kName);
    part.consume_front(": ");
    line += (line.empty() ? "" : " ") + part.trim().str();
  }
  return line;
}

static void parse(int argc, char **argv) {
  // Not the path by which it was called.
  std::vector<const char *> words(argv, argv + argc);
  words[0] = kName;
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  if (cl::ParseCommandLineOptions(
          argc, words.data(), "GPU kernels on this CPU's fibres\n", &stream))
    return;
  // An option with a wrong or missing value has reported it.
  if (!errors.empty())
    llvm::errs() << kName << ": " << oneLine(errors) << "\n";
  exit(2);
}

static Arguments parseArguments(int argc, char **argv) {
  // LLVM keeps pointers to them for as long as the process lives.
  static cl::OptionCategory ours("corellama-emulator");
  static cl::opt<std::string> checkpoint(cl::Positional, cl::desc("CHECKPOINT"),
                                         cl::cat(ours));
  static cl::opt<std::string> target(
      "target", cl::init("cuda:sm_80"), cl::value_desc("NAME"), cl::cat(ours),
      cl::desc("the GPU: cuda:sm_80 (default) or cuda:sm_90a"));
  static cl::opt<std::string> ids("ids", cl::value_desc("1,2,3"), cl::cat(ours),
                                  cl::desc("ids of the prompt"));
  static cl::opt<std::string> count(
      "n", cl::init("1"), cl::value_desc("N"), cl::cat(ours),
      cl::desc("how many ids to choose after them (default 1)"));
  static cl::opt<std::string> seed(
      "seed", cl::value_desc("SEED"), cl::cat(ours),
      cl::desc("run blocks and threads in an order that this number decides"));
  static cl::opt<std::string> logitsOut(
      "logits-out", cl::value_desc("FILE"), cl::cat(ours),
      cl::desc("write the logits of all tokens: float32, row by row"));
  static cl::opt<std::string> cacheType(
      "cache-type", cl::init("f32"), cl::value_desc("f32|f16"), cl::cat(ours),
      cl::desc("what the KV cache holds (default f32)"));
  static cl::opt<std::string> activations(
      "activations", cl::init("f32"), cl::value_desc("f32|auto"), cl::cat(ours),
      cl::desc("f32 (default): float32 everywhere; auto: as the target's table "
               "says"));
  static cl::opt<bool> prefill("prefill", cl::cat(ours),
                               cl::desc("the prompt as one call"));
  static cl::opt<std::string> rows(
      "rows", cl::value_desc("ROWS,..."), cl::cat(ours),
      cl::desc("the most rows of a call, for each form: the prompt in calls as "
               "large as they allow"));
  static cl::opt<bool> unchecked(
      "no-conflicts", cl::cat(ours),
      cl::desc("do not look for accesses without order"));
  cl::HideUnrelatedOptions(ours);
  cl::SetVersionPrinter([](llvm::raw_ostream &out) {
    out << kName << " " CORELLAMA_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
  });
  parse(argc, argv);

  if (checkpoint.empty())
    usageError("no checkpoint; give a GGUF file");
  if (!ids.getNumOccurrences())
    usageError("no prompt; give its ids: --ids 1,2,3");
  checkOneOf("--cache-type", cacheType, {"f32", "f16"});
  checkOneOf("--activations", activations, {"f32", "auto"});
  if (logitsOut.getNumOccurrences() && (logitsOut.empty() || logitsOut == "-"))
    usageError("--logits-out: needs a file's name; standard output is for ids");

  Arguments arguments{checkpoint,
                      logitsOut,
                      readIds(ids),
                      readNumber<uint32_t>("-n", count),
                      prefill || rows.getNumOccurrences() ? UINT64_MAX : 1,
                      {}};
  EmulatorProgramOptions &options = arguments.options;
  options.target = target;
  options.activations = activations;
  options.cacheType = cacheType;
  options.positions = uint64_t(arguments.ids.size()) + arguments.count;
  int64_t prompt = arguments.ids.size();
  if (prefill && rows.getNumOccurrences())
    usageError("--prefill and --rows both say in which calls the prompt goes");
  if (prefill && prompt > 1)
    options.rows = {1, prompt};
  if (rows.getNumOccurrences())
    options.rows = readRows(rows);
  options.fibres.findConflicts = !unchecked;
  if (seed.getNumOccurrences())
    options.fibres.seed = readNumber<uint64_t>("--seed", seed);
  return arguments;
}

//===----------------------------------------------------------------------===//
// --logits-out
//===----------------------------------------------------------------------===//

/// The error, if it is one, with the file's name before it.
static Error about(StringRef path, Error error) {
  if (!error)
    return Error::success();
  return llvm::createStringError(path + ": " +
                                 llvm::toString(std::move(error)));
}

namespace {

/// A temporary file beside the output, renamed when complete. Opened first,
/// because a run takes minutes.
class LogitsFile {
public:
  static llvm::Expected<LogitsFile> create(StringRef path,
                                           StringRef checkpoint);
  LogitsFile(LogitsFile &&) = default;
  ~LogitsFile() { llvm::consumeError(file.discard()); }

  Error write(llvm::ArrayRef<float> row);
  Error keep() { return about(path, file.keep(path)); }

private:
  LogitsFile(StringRef path, llvm::sys::fs::TempFile file)
      : path(path), file(std::move(file)) {}

  std::string path;
  llvm::sys::fs::TempFile file;
};

} // namespace

llvm::Expected<LogitsFile> LogitsFile::create(StringRef path,
                                              StringRef checkpoint) {
  namespace fs = llvm::sys::fs;
  auto refuse = [](StringRef what, StringRef why) {
    return llvm::createStringError(what + ": " + why +
                                   "; name another file with --logits-out");
  };
  StringRef folder = llvm::sys::path::parent_path(path);
  if (!folder.empty() && !fs::is_directory(folder))
    return refuse(folder, "is no folder");
  // keep() would replace a device as it replaces a file.
  if (fs::exists(path) && !fs::is_regular_file(path))
    return refuse(path, fs::is_directory(path) ? "is a folder" : "is no file");
  bool same = false;
  if (!fs::equivalent(path, checkpoint, same) && same)
    return refuse(path, "is the checkpoint");
  auto file = fs::TempFile::create(path + ".%%%%%%%%");
  if (!file)
    return about(path, file.takeError());
  return LogitsFile(path, std::move(*file));
}

Error LogitsFile::write(llvm::ArrayRef<float> row) {
  llvm::raw_fd_ostream out(file.FD, /*shouldClose=*/false, /*unbuffered=*/true);
  out.write(reinterpret_cast<const char *>(row.data()),
            row.size() * sizeof(float));
  std::error_code code = out.error();
  out.clear_error(); // otherwise LLVM would end the process
  return about(path, llvm::errorCodeToError(code));
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

static Error run(const Arguments &arguments) {
  auto checkpoint = checkpoint::openCheckpoint(arguments.checkpoint);
  if (!checkpoint)
    return checkpoint.takeError();
  for (int32_t id : arguments.ids)
    if (id < 0 || static_cast<uint64_t>(id) >= checkpoint->config().vocab)
      return llvm::createStringError(
          "--ids: " + llvm::Twine(id) +
          " is no id of this checkpoint, which has 0 to " +
          llvm::Twine(checkpoint->config().vocab - 1));
  std::optional<LogitsFile> file;
  if (!arguments.logitsOut.empty()) {
    auto made = LogitsFile::create(arguments.logitsOut, arguments.checkpoint);
    if (!made)
      return made.takeError();
    file.emplace(std::move(*made));
  }
  auto program = EmulatorProgram::compile(*checkpoint, arguments.options);
  if (!program)
    return program.takeError();

  int32_t best = 0;
  auto take = [&](llvm::ArrayRef<float> row) {
    // The first of the largest, as in a program.
    best = static_cast<int32_t>(std::max_element(row.begin(), row.end()) -
                                row.begin());
    return file ? file->write(row) : Error::success();
  };
  if (Error error = (*program)->append(arguments.ids, arguments.most, take))
    return error;
  std::vector<int32_t> chosen;
  while (chosen.size() < arguments.count) {
    chosen.push_back(best);
    if (chosen.size() == arguments.count)
      break;
    if (Error error = (*program)->append(best, 1, take))
      return error;
  }
  if (file)
    if (Error error = file->keep())
      return error;
  llvm::outs() << llvm::join(llvm::map_range(
                                 chosen,
                                 [](int32_t id) { return std::to_string(id); }),
                             ",")
               << "\n";
  return Error::success();
}

int main(int argc, char **argv) {
  Arguments arguments = parseArguments(argc, argv);
  if (Error error = run(arguments)) {
    llvm::errs() << kName << ": " << oneLine(llvm::toString(std::move(error)))
                 << "\n";
    return 1;
  }
  return 0;
}
