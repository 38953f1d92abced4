//===- ArgumentsTest.cpp - what command lines mean ------------------------===//

#include "compiler/Driver/Arguments.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace corellama;

static Arguments parse(std::vector<const char *> words) {
  words.insert(words.begin(), "corellama");
  return parseArguments(words.size(), words.data());
}

static CompileArguments compile(std::vector<const char *> words) {
  words.insert(words.begin(), "compile");
  Arguments arguments = parse(words);
  auto *result = std::get_if<CompileArguments>(&arguments.command);
  EXPECT_NE(result, nullptr);
  return result ? *result : CompileArguments();
}

TEST(Arguments, DefaultsOfCompile) {
  CompileArguments a = compile({"m.gguf", "-o", "m"});
  EXPECT_EQ(a.checkpoint, "m.gguf");
  EXPECT_EQ(a.output, "m");
  EXPECT_EQ(a.target, "");
  EXPECT_EQ(a.options.activations, "");
  EXPECT_EQ(a.options.cacheType, "");
  EXPECT_TRUE(a.options.rows.empty());
  EXPECT_EQ(a.emit, Emit::Program);
  EXPECT_FALSE(a.compileTo);
  EXPECT_FALSE(a.compileFrom);
  EXPECT_FALSE(a.remarks);
  EXPECT_FALSE(a.verifyEach);
}

TEST(Arguments, AllOfCompile) {
  CompileArguments a =
      compile({"--target=znver4", "--activations=f32", "--cache-type=f16",
               "--quantize=q4_1", "--chunk=7", "m.gguf", "--compile-from=fuse",
               "--ir=x.mlir", "--compile-to=tile", "--remarks", "--verify-each",
               "--dump-compilation-phases-to=dumps", "-o", "y.mlir"});
  EXPECT_EQ(a.target, "znver4");
  EXPECT_EQ(a.options.activations, "f32");
  EXPECT_EQ(a.options.cacheType, "f16");
  EXPECT_EQ(a.options.quantize, "q4_1");
  EXPECT_EQ(a.options.rows, (std::vector<int64_t>{1, 7}));
  EXPECT_EQ(a.compileFrom, llama::Phase::Fuse);
  EXPECT_EQ(a.compileTo, llama::Phase::Tile);
  EXPECT_EQ(a.ir, "x.mlir");
  EXPECT_EQ(a.dumpFolder, "dumps");
  EXPECT_TRUE(a.remarks);
  EXPECT_TRUE(a.verifyEach);
}

TEST(Arguments, TextGoesToStandardOutputByDefault) {
  EXPECT_EQ(compile({"m.gguf", "--compile-to=import"}).output, "-");
  EXPECT_EQ(compile({"m.gguf", "--emit=asm"}).output, "-");
  EXPECT_EQ(compile({"m.gguf", "--emit=llvm", "-o", "x.ll"}).output, "x.ll");
  EXPECT_EQ(compile({"m.gguf", "--emit=ptx", "--target=cuda:sm_80"}).output,
            "-");
}

TEST(Arguments, MLIRsFlagsArePassedOn) {
  Arguments a = parse({"compile", "--mlir-timing", "m.gguf", "-o", "m",
                       "--mlir-print-ir-tree-dir=d"});
  EXPECT_EQ(a.mlirFlags, (std::vector<std::string>{
                             "--mlir-timing", "--mlir-print-ir-tree-dir=d"}));
  EXPECT_TRUE(std::holds_alternative<CompileArguments>(a.command));
}

TEST(Arguments, OtherCommands) {
  Arguments a = parse({"inspect", "m.gguf", "--json"});
  ASSERT_TRUE(std::holds_alternative<InspectArguments>(a.command));
  EXPECT_TRUE(std::get<InspectArguments>(a.command).json);
  EXPECT_EQ(std::get<InspectArguments>(a.command).file, "m.gguf");
  EXPECT_FALSE(std::get<InspectArguments>(a.command).showsTemplate);
  a = parse({"inspect", "m.gguf", "--template"});
  EXPECT_TRUE(std::get<InspectArguments>(a.command).showsTemplate);

  a = parse({"eval", "x.mlir", "--entry", "f", "--in", "a.npy", "--in", "3",
             "--out", "-", "--out", "b.npy"});
  ASSERT_TRUE(std::holds_alternative<llama::reference::EvalOptions>(a.command));
  auto eval = std::get<llama::reference::EvalOptions>(a.command);
  EXPECT_EQ(eval.file, "x.mlir");
  EXPECT_EQ(eval.entry, "f");
  EXPECT_EQ(eval.in, (std::vector<std::string>{"a.npy", "3"}));
  EXPECT_EQ(eval.out, (std::vector<std::string>{"-", "b.npy"}));
  EXPECT_EQ(eval.mode, "as-specified");

  a = parse({"tokenize", "m", "-p", "", "--no-bos", "--parse-special"});
  ASSERT_TRUE(std::holds_alternative<text::TokenizeOptions>(a.command));
  auto tokenize = std::get<text::TokenizeOptions>(a.command);
  EXPECT_EQ(tokenize.text, "");
  EXPECT_TRUE(!tokenize.frame && tokenize.parseSpecial && !tokenize.json);

  a = parse({"detokenize", "m", "--ids", "1, 2"});
  ASSERT_TRUE(std::holds_alternative<text::DetokenizeOptions>(a.command));
  EXPECT_EQ(std::get<text::DetokenizeOptions>(a.command).ids, "1, 2");

  a = parse({"render", "--template", "t", "--messages", "-", "--bos", "",
             "--date", "2028-02-29"});
  ASSERT_TRUE(std::holds_alternative<text::RenderOptions>(a.command));
  auto render = std::get<text::RenderOptions>(a.command);
  EXPECT_EQ(render.bos, "");
  EXPECT_FALSE(render.eos);
  EXPECT_TRUE(render.generationPrompt);
  ASSERT_TRUE(render.date);
  EXPECT_EQ(render.date->tm_year, 128);
  EXPECT_EQ(render.date->tm_yday, 59);
  EXPECT_EQ(render.date->tm_wday, 2);

  for (const std::vector<const char *> &words :
       {std::vector{"compile", "--list-targets"}, {"--list-targets"}}) {
    a = parse(words);
    EXPECT_TRUE(std::holds_alternative<ListTargetsArguments>(a.command));
  }
}

TEST(Arguments, HelpAndVersion) {
  for (const std::vector<const char *> &words : {std::vector{"--help"},
                                                 {"compile", "--help"},
                                                 {"inspect", "-h"},
                                                 {"--version"}}) {
    testing::internal::CaptureStdout();
    Arguments a = parse(words);
    llvm::outs().flush();
    EXPECT_NE(testing::internal::GetCapturedStdout(), "");
    ASSERT_TRUE(std::holds_alternative<Finished>(a.command));
    EXPECT_EQ(std::get<Finished>(a.command).status, 0);
  }
}

TEST(Arguments, HelpFitsAndNamesThePhases) {
  std::string help;
  for (const char *command : {"render", "detokenize", "tokenize", "compile"}) {
    testing::internal::CaptureStdout();
    parse({command, "--help"});
    llvm::outs().flush();
    help = testing::internal::GetCapturedStdout();
    for (llvm::StringRef line : llvm::split(help, '\n'))
      EXPECT_LE(line.size(), 80u) << line.str();
  }
  for (const llama::PhaseInfo &info : llama::allPhases())
    EXPECT_NE(help.find(info.name.str()), std::string::npos) << info.name.str();
}

TEST(Arguments, RowsOfEachForm) {
  auto rowsOf = [](const char *option) {
    return compile({"m.gguf", "-o", "m", option}).options.rows;
  };
  EXPECT_EQ(rowsOf("--rows=1,2,4,8,512"),
            (std::vector<int64_t>{1, 2, 4, 8, 512}));
  EXPECT_EQ(rowsOf("--rows=16"), (std::vector<int64_t>{16}));
  EXPECT_EQ(rowsOf("--chunk=1"), (std::vector<int64_t>{1}));
}

TEST(Arguments, UsageErrorsAreOneLine) {
  struct Row {
    std::vector<const char *> words;
    const char *message;
  };
  const char *compileHelp = "; 'corellama compile --help' says more\n";
  const char *help = "; 'corellama --help' says more\n";
  const std::pair<Row, const char *> rows[] = {
      {{{}, "no command; try corellama compile model.gguf -o model"}, help},
      {{{"compil"}, "no command 'compil', did you mean compile?"}, help},
      {{{"frobnicate"}, "no command 'frobnicate'"}, help},
      {{{"compile"},
        "no checkpoint; give a GGUF file or a folder: corellama compile "
        "model.gguf -o model"},
       compileHelp},
      {{{"compile", "m.gguf"}, "no output; name the program: -o FILE"},
       compileHelp},
      {{{"compile", "folder", "-o", ""}, "-o: '' names no file"}, compileHelp},
      {{{"compile", "m.gguf", "-o", "-"},
        "-o - is for text; a program or an object needs a file"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--targt=native"},
        "unknown argument '--targt=native', did you mean --target?"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--zzzzzzzz"},
        "unknown argument '--zzzzzzzz'"},
       compileHelp},
      {{{"compile", "m.gguf", "n.gguf", "-o", "m"},
        "unknown argument 'n.gguf'"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--activations=f17"},
        "--activations: 'f17' is none of auto, f32, q8, x24, bf16, amx"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--chunk=0"},
        "--chunk: '0' is no number from 1 to 65536"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--chunk=99999999999999999999"},
        "--chunk: '99999999999999999999' is no number from 1 to 65536"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--rows=1,,8"},
        "--rows: '' is no number from 1 to 65536"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--rows=1,65537"},
        "--rows: '65537' is no number from 1 to 65536"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--rows=1,8,8"},
        "--rows: 8 after 8; give ascending numbers, as in 1,8,512"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--rows=512,1"},
        "--rows: 1 after 512; give ascending numbers, as in 1,8,512"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--rows=1,8", "--chunk=8"},
        "--rows excludes --chunk"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--compile-to=linalg"},
        "--compile-to: no phase 'linalg'; it is one of import, specialize, "
        "fuse, plan, "
        "schedule, tile, vector, llvm"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--compile-from=fuse"},
        "--compile-from requires --ir"},
       compileHelp},
      {{{"compile", "m.gguf", "-o", "m", "--ir=x"},
        "--ir requires --compile-from"},
       compileHelp},
      {{{"compile", "m.gguf", "--compile-from=tile", "--ir=x",
         "--compile-to=fuse"},
        "--compile-to=fuse comes before --compile-from=tile"},
       compileHelp},
      {{{"compile", "m.gguf", "--compile-to=fuse", "--emit=asm"},
        "--emit and --compile-to exclude each other; --compile-to ends before "
        "code "
        "generation"},
       compileHelp},
      {{{"compile", "m.gguf", "--emit=ptx", "--target=x86-64-v4"},
        "--emit=ptx is for a GPU; name one, as in --target=cuda:sm_90a"},
       compileHelp},
      {{{"compile", "m.gguf", "--emit=asm", "--tokenizer=x"},
        "--tokenizer is for programs; no other output has one"},
       compileHelp},
      {{{"inspect"}, "no FILE"}, "; 'corellama inspect --help' says more\n"},
      {{{"--list-targets", "inspect", "x"},
        "--list-targets does not go with 'inspect'"},
       "; 'corellama --help' says more\n"},
  };
  for (const auto &[row, end] : rows) {
    testing::internal::CaptureStderr();
    Arguments a = parse(row.words);
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              std::string("corellama: ") + row.message + end);
    ASSERT_TRUE(std::holds_alternative<Finished>(a.command)) << row.message;
    EXPECT_EQ(std::get<Finished>(a.command).status, 2);
  }
}
