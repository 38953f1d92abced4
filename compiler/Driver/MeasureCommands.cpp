//===- MeasureCommands.cpp - the options of inspect, bench, ... -----------===//
//
// See Subcommands.h. The commands that look at a file or run it: inspect,
// bench, perplexity and eval.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/OptionChecks.h"
#include "compiler/Driver/Subcommands.h"
#include "llvm/ADT/StringSwitch.h"

using namespace corellama;

static constexpr const char *kInspectExamples = R"(examples:
  corellama inspect model.gguf        configuration, tensors, layer signatures
  corellama inspect Llama-3.2-1B/     the same of a Hugging Face folder
  corellama inspect model --json      manifest, kernels and memory of a program
  corellama inspect model --template > chat.jinja

A checkpoint is a GGUF file, of split ones the first; a Hugging Face folder;
or a .bin file of llama2.c. FILE may also be a vocabulary alone: GGUF without
tensors, a tokenizer.model, or a folder with a tokenizer.
)";

Subcommand corellama::addInspect(CLI::App &tool) {
  auto inspect = std::make_shared<InspectArguments>();
  CLI::App &c = *tool.add_subcommand(
      "inspect", "say what is in a checkpoint or a program");
  c.footer(kInspectExamples);
  c.add_option("FILE", inspect->file, "a checkpoint or a program")->required();
  CLI::Option *json =
      c.add_flag("--json", inspect->json, "JSON instead of text");
  c.add_flag("--template", inspect->showsTemplate,
             "print the chat template, byte for byte, and nothing else")
      ->excludes(json);
  return {&c, [inspect](Arguments::Command &command) {
            command = *inspect;
            return "";
          }};
}

static constexpr const char *kBenchExamples = R"(examples:
  corellama bench model                                 pp512 and tg128
  corellama bench model -p 128,512 -n 64 -d 0,4096      each behind 0 and 4096 tokens
  corellama bench model -p 0 -n 32 --kernels            where the time of a token goes
  corellama bench model -t 1,2 -o jsonl > times.jsonl

t/s is the mean of the rounds and their deviation. The ceilings are measured in
the same rounds by loops that only read the weights or only multiply; share is the
sum of what each kernel would take at its ceiling, over the measured time. The cost
model of --predict is in docs/performance.md.
)";

Subcommand corellama::addBench(CLI::App &tool) {
  auto bench = std::make_shared<bench::Options>();
  auto format = std::make_shared<std::string>("md");
  CLI::App &c = *tool.add_subcommand(
      "bench", "measure a program beside the machine's ceilings");
  c.footer(kBenchExamples);
  c.add_option("PROGRAM", bench->program, "what compile made")->required();
  isNumbers(c.add_option("-p", bench->prompts,
                         "tokens of a prompt; 0: none (default 512)"),
            0);
  isNumbers(c.add_option("-n", bench->generated,
                         "tokens to generate; 0: none (default 128)"),
            0);
  isNumbers(c.add_option("-d", bench->depths,
                         "tokens in the cache before each test (default 0)"),
            0);
  isNumbers(c.add_option("-t", bench->threads,
                         "threads (default: the CPUs this process may use)"),
            1);
  isNumbers(c.add_option("-r", bench->rounds,
                         "rounds, each of all tests and ceilings (default 5)"),
            1)
      ->type_name("N");
  c.add_flag("--kernels", bench->kernels,
             "the times of each kernel, too (not with csv)");
  c.add_flag(
      "--predict", bench->predict,
      "what the cost model says from the ceilings, beside what is measured");
  isOneOf(c.add_option("-o", *format, "the form of the output"),
          {"md", "csv", "json", "jsonl"});
  return {
      &c, [bench, format](Arguments::Command &command) -> std::string {
        bench->format = llvm::StringSwitch<bench::Format>(*format)
                            .Case("csv", bench::Format::CSV)
                            .Case("json", bench::Format::JSON)
                            .Case("jsonl", bench::Format::JSONLines)
                            .Default(bench::Format::Markdown);
        if (bench->kernels && bench->format == bench::Format::CSV)
          return "--kernels has a table of its own; give -o md, json or jsonl";
        command = *bench;
        return "";
      }};
}

static constexpr const char *kPerplexityExamples = R"(examples:
  corellama perplexity model -f wiki.test.raw
  corellama perplexity model -f text --reference model-f32    # what rounding costs

Windows of -c tokens begin with an empty cache; their second halves are predicted, as
llama-perplexity does by default. Behind a figure is its standard error.
)";

Subcommand corellama::addPerplexity(CLI::App &tool) {
  auto perplexity = std::make_shared<perplexity::Options>();
  auto format = std::make_shared<std::string>("text");
  CLI::App &c = *tool.add_subcommand(
      "perplexity", "measure how well a program predicts a text");
  c.footer(kPerplexityExamples);
  c.add_option("PROGRAM", perplexity->program, "what compile made")->required();
  c.add_option("-f,--file", perplexity->text, "the text; - is standard input")
      ->required()
      ->type_name("FILE");
  c.add_option("--reference", perplexity->reference,
               "a program of the same model whose logits are taken as right, "
               "such as one compiled with --activations=f32")
      ->type_name("PROGRAM");
  isNumbers(c.add_option("-c", perplexity->context,
                         "tokens of a window (default 512)"),
            3) // a token of the second half that another precedes
      ->type_name("N");
  isNumbers(c.add_option("-t", perplexity->threads,
                         "threads (default: the CPUs this process may use)"),
            1)
      ->type_name("N");
  isOneOf(c.add_option("-o", *format,
                       "text (default), or json with figures of each token"),
          {"text", "json"});
  return {&c, [perplexity, format](Arguments::Command &command) {
            perplexity->json = *format == "json";
            command = *perplexity;
            return "";
          }};
}

static constexpr const char *kEvalExamples = R"(examples:
  corellama eval norm.mlir --entry norm --in x.npy weight.npy --out y.npy
  corellama eval norm.mlir --entry norm --in x.npy weight.npy     # text
  corellama eval tiny.mlir --entry m --in ids.npy --weights tiny/ --out logits.npy
  corellama eval model.mlir --entry m --in ids.npy --weights model.gguf --dump values/
  corellama eval norm.mlir --entry norm --in x.npy weight.npy --native --time
  corellama eval rope.mlir --entry rope --in x.npy pos.npy --native --lowering=rope-matrix

--native compiles the function for as many rows as its arguments have, by the phases of
a program, and calls it on one thread; results are what compiled code computes.
--time prints JSON: ns is the median of the samples' nanoseconds a call.
--lowering compiles it another way, to compare results: by linalg on tensors and
upstream's scalar lowering ("stock lowering"), llama.rope as a matrix, element by
element or as complex numbers. It reads best in --dump-compilation-phases-to.
)";

Subcommand corellama::addEval(CLI::App &tool) {
  auto eval = std::make_shared<llama::reference::EvalOptions>();
  CLI::App &e = *tool.add_subcommand(
      "eval", "run a module of the llama dialect by its reference evaluator");
  e.footer(kEvalExamples);
  e.add_option("FILE", eval->file, "an .mlir file, or - for standard input")
      ->required();
  e.add_option("--entry", eval->entry, "a function, or the model's symbol")
      ->required()
      ->type_name("NAME");
  e.add_option(
       "--in", eval->in,
       "one for each argument in order, caches left out: a .npy file, or a "
       "number for an index")
      ->type_name("FILE...");
  e.add_option(
       "--out", eval->out,
       "one for each result: a .npy file, or - for text; text if left out")
      ->type_name("FILE...");
  e.add_option(
       "--mode", eval->mode,
       "as-specified (default): round where the module says so; ideal: never")
      ->type_name("MODE"); // the evaluator knows its modes
  e.add_option("--weights", eval->weights,
               "a folder of the weights: token_embd.npy, blk.3.attn_q.npy, "
               "...; or a checkpoint")
      ->type_name("PATH");
  CLI::Option *dump = e.add_option(
      "--dump", eval->dump,
      "write every value to DIR as NAME.npy, what attention weights values by "
      "as NAME.probabilities.npy, and a list of them, index.json");
  dump->type_name("DIR");
  CLI::Option *native =
      e.add_flag("--native", eval->native, "compile the function and call it");
  native->excludes(dump);
  CLI::Option *target =
      e.add_option("--target", eval->target,
                   "with --native: the CPU to compile for (default native)");
  target->needs(native)->type_name("NAME");
  CLI::Option *time =
      e.add_flag("--time", eval->time, "with --native: measure, print JSON");
  time->needs(native);
  CLI::Option *lowering =
      isOneOf(e.add_option("--lowering", eval->lowering,
                           "with --native: not as programs are, but by linalg"),
              {"linalg", "rope-matrix", "rope-elementwise", "rope-complex"});
  lowering->needs(native)->excludes(target)->excludes(time);
  isOneOf(e.add_option("--lowering-type", eval->loweringType,
                       "with --lowering: the type of numbers (default f32)"),
          {"f32", "f64"})
      ->needs(lowering);
  isRows(e.add_option("--repeat", eval->repeat,
                      "with --time: samples of each figure (default 9)"),
         1)
      ->needs(time);
  e.add_option("--dump-compilation-phases-to", eval->phases,
               "with --native: write the function after each phase, and "
               "assembly, to DIR")
      ->needs(native)
      ->type_name("DIR");
  e.add_option("--form", eval->form,
               "with a model as entry: run all rows in this form")
      ->type_name("NAME");
  isRows(e.add_option("--chunk", eval->chunk,
                      "with a model as entry: rows of a prefill call"),
         0);
  return {&e, [eval](Arguments::Command &command) {
            command = *eval;
            return "";
          }};
}
