//===- PhaseFile.cpp - modules between phases, as files -------------------===//
//
// See PhaseFile.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/PhaseFile.h"
#include "compiler/Import/Import.h"
#include "compiler/Output/OutputFile.h"
#include "compiler/Target/Target.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/Parser/Parser.h"
#include "passes/Llama/CarriedOptions.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace corellama;
using namespace mlir;

/// Raised when the text of the IR changes: names of ops, attributes or phases.
/// A dump of another version is refused by this number, before the parser
/// reports the first unknown name. Version 1 had no attribute.
static constexpr llvm::StringLiteral kVersionAttr = "llama.version";
static constexpr int64_t kVersion = 6;

/// An explicit f32 means that nothing is rounded, the cache included; who asks
/// for x24 wants nearly the same.
static std::string cacheTypeOf(const ModuleOptions &asked) {
  bool isExact = asked.activations == "f32" || asked.activations == "x24";
  std::string both = !asked.cacheType.empty() ? asked.cacheType
                     : isExact                ? "f32"
                                              : "f16";
  const std::string &keys = asked.keyType.empty() ? both : asked.keyType;
  const std::string &values = asked.valueType.empty() ? both : asked.valueType;
  return keys == values ? keys : keys + "," + values;
}

/// What auto means on a CPU, as dumps and manifest say it: which products can
/// be of bf16 or of bytes.
static std::string
activationsFor(llvm::ArrayRef<llama::TargetInterface> targets,
               const checkpoint::Checkpoint &checkpoint) {
  MLIRContext *context = targets.front().getContext();
  auto allHave = [&](llama::ContractionUnitInterface unit) {
    return llvm::all_of(targets, [&](llama::TargetInterface target) {
      return llama::getMissingFeature(unit, target).empty();
    });
  };
  bool hasPairs = false, hasQuants = false;
  for (const checkpoint::TensorInfo &tensor : checkpoint.tensors()) {
    const llama::FormatFacts &facts = checkpoint::getFacts(tensor.type);
    hasQuants |= facts.block > 1;
    hasPairs |= facts.planes.front().type == llama::FieldType::BF16;
  }
  if (hasPairs && allHave(cpu::AMXBF16Attr::get(context)))
    return llama::kAMXActivations.str();
  if (hasPairs && allHave(cpu::DotBF16Attr::get(context)))
    return "bf16";
  return hasQuants ? "q8" : "f32";
}

ModuleOptions
corellama::resolveOptions(const ModuleOptions &asked,
                          llvm::ArrayRef<llama::TargetInterface> targets,
                          const checkpoint::Checkpoint &checkpoint) {
  ModuleOptions options = asked;
  options.cacheType = cacheTypeOf(asked);
  if (asked.activations.empty() || asked.activations == "auto")
    options.activations = isa<cpu::TargetAttr>(targets.front())
                              ? activationsFor(targets, checkpoint)
                              : "auto";
  if (asked.rows.empty())
    options.rows.assign(std::begin(llama::kDefaultRows),
                        std::end(llama::kDefaultRows));
  return options;
}

void corellama::stampModule(ModuleOp module, llama::TargetInterface target,
                            const ModuleOptions &options) {
  Builder builder(module.getContext());
  NamedAttrList carried;
  carried.set("activations", builder.getStringAttr(options.activations));
  carried.set("cache_type", builder.getStringAttr(options.cacheType));
  if (!options.quantize.empty())
    carried.set("quantize", builder.getStringAttr(options.quantize));
  if (options.strategy == "plain")
    carried.set("strategy", builder.getStringAttr(options.strategy));
  carried.set("rows", builder.getDenseI64ArrayAttr(options.rows));
  module->setAttr(llama::kTargetAttr, target);
  module->setAttr(kVersionAttr, builder.getI64IntegerAttr(kVersion));
  module->setAttr(
      llama::kPhaseAttr,
      builder.getStringAttr(llama::infoOf(llama::Phase::Import).name));
  module->setAttr(llama::kOptionsAttr,
                  carried.getDictionary(module.getContext()));
}

static llvm::Error refuse(llvm::StringRef path, const llvm::Twine &what) {
  return llvm::createStringError(path + ": " + what);
}

llvm::Expected<ModuleOptions> corellama::readOptions(ModuleOp module,
                                                     llvm::StringRef path) {
  auto dictionary = module->getAttrOfType<DictionaryAttr>(llama::kOptionsAttr);
  auto activations =
      dictionary ? dictionary.getAs<StringAttr>("activations") : StringAttr();
  auto cacheType =
      dictionary ? dictionary.getAs<StringAttr>("cache_type") : StringAttr();
  auto rows = dictionary ? dictionary.getAs<DenseI64ArrayAttr>("rows")
                         : DenseI64ArrayAttr();
  if (!activations || !cacheType || !rows || rows.empty())
    return refuse(
        path, "llama.options: is not {activations, cache_type, rows}, which "
              "every dump carries; make a new one with --compile-to");
  auto quantize = dictionary.getAs<StringAttr>("quantize");
  auto strategy = dictionary.getAs<StringAttr>("strategy");
  return ModuleOptions{activations.str(),
                       cacheType.str(),
                       quantize ? quantize.str() : "",
                       strategy ? strategy.str() : "tuned",
                       {rows.asArrayRef().begin(), rows.asArrayRef().end()},
                       /*keyType=*/"",
                       /*valueType=*/""};
}

llvm::Error corellama::writePhaseFile(ModuleOp module, llvm::StringRef path) {
  std::string text;
  llvm::raw_string_ostream out(text);
  module.print(out); // with aliases of attributes, as mlir-opt prints
  out << "\n";
  return writeOutput(path, text);
}

std::string corellama::phaseFileName(llama::Phase phase) {
  return (llvm::Twine(static_cast<unsigned>(phase) + 1) + "-" +
          llama::infoOf(phase).name + ".mlir")
      .str();
}

/// The arguments may repeat the dump's options, not change them: the phases
/// that depend on them have run.
static llvm::Error checkArguments(ModuleOp module,
                                  const CompileArguments &arguments) {
  llvm::StringRef path = arguments.ir;
  auto contradiction = [&](llvm::StringRef flag, llvm::StringRef asked,
                           llvm::StringRef carried) {
    return refuse(path,
                  "was made with " + flag + "=" + carried + ", not " + asked +
                      "; leave the option out, or compile from the checkpoint");
  };
  llama::TargetInterface target = llama::getTarget(module);
  if (!target)
    return refuse(
        path, "llama.target: is missing, which every dump carries; make a new "
              "one with --compile-to");
  if (llvm::Error error = verifyTarget(target))
    return refuse(path, "llama.target: " + llvm::toString(std::move(error)));
  if (!arguments.target.empty()) {
    auto asked = resolveTarget(*module.getContext(), arguments.target);
    if (!asked)
      return asked.takeError();
    if (*asked != target)
      return contradiction("--target", asked->getName(), target.getName());
  }
  auto options = readOptions(module, path);
  if (!options)
    return options.takeError();
  const ModuleOptions &asked = arguments.options;
  if (!asked.activations.empty() && asked.activations != "auto" &&
      asked.activations != options->activations)
    return contradiction("--activations", asked.activations,
                         options->activations);
  // Without --cache-type, --activations decides the cache's type too.
  bool saysCache = !asked.activations.empty() || !asked.cacheType.empty() ||
                   !asked.keyType.empty() || !asked.valueType.empty();
  std::string cacheType = cacheTypeOf(asked);
  if (saysCache && cacheType != options->cacheType)
    return contradiction("--cache-type", cacheType, options->cacheType);
  if (!asked.quantize.empty() && asked.quantize != options->quantize)
    return contradiction("--quantize", asked.quantize,
                         options->quantize.empty() ? "(none)"
                                                   : options->quantize);
  if (!asked.strategy.empty() && asked.strategy != options->strategy)
    return contradiction("--strategy", asked.strategy, options->strategy);
  auto listed = [](const std::vector<int64_t> &rows) {
    return llvm::join(
        llvm::map_range(rows,
                        [](int64_t bound) { return std::to_string(bound); }),
        ",");
  };
  if (!asked.rows.empty() && asked.rows != options->rows)
    return contradiction("--rows", listed(asked.rows), listed(options->rows));
  return llvm::Error::success();
}

/// Checked before the text is parsed, because another version may not parse.
/// Text without a phase is no dump and is refused as such.
static llvm::Error checkVersion(llvm::StringRef text, llvm::StringRef path) {
  int64_t version = 1;
  llvm::StringRef found = text.split((kVersionAttr + " = ").str()).second;
  bool isNone = found.take_while(llvm::isDigit).getAsInteger(10, version);
  if (text.contains('\0'))
    return refuse(path, "is no text, expected a dump; make one with "
                        "--compile-to");
  if (!text.contains(llama::kPhaseAttr) || (!isNone && version == kVersion))
    return llvm::Error::success();
  return refuse(path, "was written in version " + llvm::Twine(version) +
                          " of the IR, this compiler reads version " +
                          llvm::Twine(kVersion) +
                          "; make a new one with --compile-to");
}

llvm::Expected<OwningOpRef<ModuleOp>> corellama::readPhaseFile(
    MLIRContext &context, const CompileArguments &arguments,
    llama::Phase expectedPhase, const checkpoint::Checkpoint &checkpoint) {
  llvm::StringRef path = arguments.ir;
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/true);
  if (std::error_code code = buffer.getError())
    return refuse(path, code.message());
  if (llvm::Error error = checkVersion((*buffer)->getBuffer(), path))
    return error;
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      (*buffer)->getBuffer(), ParserConfig(&context), path);
  if (!module)
    return module; // diagnosed

  llvm::StringRef expected = llama::infoOf(expectedPhase).name;
  auto phase = (*module)->getAttrOfType<StringAttr>(llama::kPhaseAttr);
  if (!phase)
    return refuse(path,
                  "llama.phase: is missing, which every dump carries; make one "
                  "with --compile-to=" +
                      expected);
  if (phase != expected)
    return refuse(path, "is of phase " + phase.getValue() + ", not " +
                            expected +
                            "; give --compile-from=" + phase.getValue());
  // Its declarations are gone in phase llvm.
  if (expectedPhase < llama::Phase::LLVM &&
      !llvm::hasSingleElement(module->getOps<llama::ModelOp>()))
    return refuse(path, "has no llama.model, or several; expected one");
  auto identity = (*module)->getAttrOfType<StringAttr>(llama::kCheckpointAttr);
  std::string own = checkpointAttribute(checkpoint);
  if (!identity || identity != own)
    return refuse(path, "was made from checkpoint " +
                            (identity ? identity.getValue() : "(none)") +
                            ", and " + checkpoint.path() + " is " + own +
                            "; give the checkpoint it was made from");
  if ((*module)->getAttr(llama::kConfigAttr) !=
      configAttribute(context, checkpoint))
    return refuse(path, "llama.config: is not the configuration of " +
                            checkpoint.path());
  if (llvm::Error error = checkArguments(*module, arguments))
    return error;
  return module;
}
