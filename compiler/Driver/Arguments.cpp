//===- Arguments.cpp - the command line of corellama ----------------------===//
//
// See Arguments.h: parsing, and the messages about what cannot be parsed. The
// options are in the files of the commands (Subcommands.h). Exceptions do not
// leave these files.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Arguments.h"
#include "compiler/Driver/Subcommands.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"

using namespace corellama;
using llvm::StringRef;

static constexpr const char *kOverview =
    R"(corellama compiles a Llama checkpoint to one native program.

  corellama compile model.gguf -o model     makes ./model, which needs nothing else
  ./model -p "Once upon a time"             runs it
  corellama inspect model.gguf              what is in a checkpoint
  corellama inspect model                   what is in a program
  corellama bench model                     how fast it is, and could be
  corellama perplexity model -f text        how well it predicts a text
  corellama tokenize model -p "Once"        the token ids of a text
  corellama render model --messages chat.json   a chat as its template writes it
)";

namespace {

/// Help in two columns, at most 80 characters wide. CLI11's remarks on an
/// option are left out: the descriptions say as much.
class HelpFormatter : public CLI::Formatter {
public:
  static constexpr size_t kColumn = 26;

  std::string make_usage(const CLI::App *app, std::string) const override {
    if (!app->get_parent())
      return "usage: corellama COMMAND [OPTIONS]\n";
    std::string usage = "\nusage: corellama " + app->get_name();
    for (const CLI::Option *option : app->get_options())
      if (option->get_positional())
        usage += " " + option->get_name(true, false);
    return usage + " [OPTIONS]\n";
  }
  std::string make_option_opts(const CLI::Option *option) const override {
    bool value = option->get_type_size() != 0 && !option->get_positional();
    return value ? " " + option->get_type_name() : "";
  }
  std::string make_option_desc(const CLI::Option *option) const override {
    return wrap(option->get_description());
  }

private:
  static std::string wrap(const std::string &text) {
    std::string result;
    size_t used = 0;
    for (StringRef word : llvm::split(text, ' ')) {
      if (used && used + 1 + word.size() > 80 - kColumn) {
        result += "\n";
        used = 0;
      }
      result += (used ? " " : "") + word.str();
      used += (used ? 1 : 0) + word.size();
    }
    return result;
  }
};

/// The tool and its commands.
class CommandLine {
public:
  CommandLine();
  Arguments parse(std::vector<std::string> words);

private:
  Finished usageError(const CLI::App &command, StringRef message) const;
  std::string suggestion(const CLI::App &command, StringRef word) const;

  CLI::App app{kOverview, "corellama"};
  std::vector<Subcommand> subcommands;
  bool listTargets = false;
};

} // namespace

CommandLine::CommandLine() {
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version",
                       "corellama " CORELLAMA_VERSION
                       " (LLVM " LLVM_VERSION_STRING ")",
                       "print the version");
  // The messages about targets name it without a command.
  app.add_flag("--list-targets", listTargets, "list the targets of compile");
  auto formatter = std::make_shared<HelpFormatter>();
  formatter->column_width(HelpFormatter::kColumn);
  app.formatter(formatter); // commands inherit it
  app.footer("corellama COMMAND --help says more about each.");
  for (auto add : {addCompile, addInspect, addBench, addPerplexity, addTokenize,
                   addDetokenize, addRender, addEval})
    subcommands.push_back(add(app));
}

/// The option, or the command, whose name is nearest to a mistyped name.
std::string CommandLine::suggestion(const CLI::App &command,
                                    StringRef word) const {
  StringRef name = word.split('=').first;
  std::string nearest;
  unsigned best = 4; // with more edits it is a different name
  auto consider = [&](const std::string &known) {
    unsigned distance = name.edit_distance(known, true, best);
    if (distance < best && distance < known.size() / 2) {
      best = distance;
      nearest = known;
    }
  };
  for (const CLI::Option *option : command.get_options())
    for (const std::string &known : option->get_lnames())
      consider("--" + known);
  for (const CLI::App *known : command.get_subcommands({}))
    consider(known->get_name());
  return nearest;
}

Finished CommandLine::usageError(const CLI::App &command,
                                 StringRef message) const {
  std::string name =
      command.get_parent() ? "corellama " + command.get_name() : "corellama";
  llvm::errs() << "corellama: " << message << "; '" << name
               << " --help' says more\n";
  return {2};
}

Arguments CommandLine::parse(std::vector<std::string> words) {
  const CLI::App *command = &app;
  const std::vector<std::string> given = words;
  auto findCommand = [&] {
    for (const CLI::App *parsed : app.get_subcommands())
      command = parsed;
    return command;
  };
  try {
    std::reverse(words.begin(), words.end()); // CLI11 takes them from the end
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp &) {
    llvm::outs() << findCommand()->help();
    return {Finished{0}, {}};
  } catch (const CLI::CallForVersion &) {
    llvm::outs() << app.version() << "\n";
    return {Finished{0}, {}};
  } catch (const CLI::ExtrasError &) {
    findCommand();
    std::vector<std::string> extras = app.remaining(/*recurse=*/true);
    if (extras.empty())
      return {usageError(*command, "too many arguments"), {}};
    std::string message =
        command == &app ? "no command '" : "unknown argument '";
    message += extras.front() + "'";
    if (std::string nearest = suggestion(*command, extras.front());
        !nearest.empty())
      message += ", did you mean " + nearest + "?";
    else if (command == &app && StringRef(extras.front()).ends_with(".gguf"))
      message += "; to compile it: corellama compile " + extras.front() +
                 " -o PROGRAM";
    return {usageError(*command, message), {}};
  } catch (const CLI::ArgumentMismatch &error) {
    // "--target: 1 required NAME missing", "-o: At Most 1 required but ..."
    auto [option, problem] = StringRef(error.what()).split(": ");
    std::string message =
        option.str() +
        (problem.contains("missing") ? " needs a value" : " is given twice");
    return {usageError(*findCommand(), message), {}};
  } catch (const CLI::ConversionError &) {
    // Only flags convert their values in CLI11; our checks take values as text.
    auto word = llvm::find_if(given, [](StringRef word) {
      return word.starts_with("--") && word.contains('=');
    });
    auto [flag, value] = StringRef(word == given.end() ? "" : *word).split('=');
    return {usageError(*findCommand(),
                       flag.str() +
                           " takes no value; leave out '=" + value.str() + "'"),
            {}};
  } catch (const CLI::RequiredError &error) {
    return {
        usageError(
            *findCommand(),
            "no " + StringRef(error.what()).split(" is required").first.str()),
        {}};
  } catch (const CLI::ParseError &error) {
    return {usageError(*findCommand(), error.what()), {}};
  }

  findCommand();
  if (listTargets && command != &app && command->get_name() != "compile")
    return {usageError(app, "--list-targets does not go with '" +
                                command->get_name() + "'"),
            {}};
  if (listTargets)
    return {ListTargetsArguments(), {}};
  Arguments arguments;
  for (const Subcommand &subcommand : subcommands) {
    if (command != subcommand.app)
      continue;
    if (std::string message = subcommand.finish(arguments.command);
        !message.empty())
      return {usageError(*command, message), {}};
    return arguments;
  }
  return {
      usageError(app, "no command; try corellama compile model.gguf -o model"),
      {}};
}

Arguments corellama::parseArguments(int argc, const char *const *argv) {
  std::vector<std::string> ours, mlirFlags;
  for (int i = 1; i < argc; ++i)
    (StringRef(argv[i]).starts_with("--mlir-") ? mlirFlags : ours)
        .push_back(argv[i]);
  Arguments arguments = CommandLine().parse(std::move(ours));
  arguments.mlirFlags = std::move(mlirFlags);
  return arguments;
}
