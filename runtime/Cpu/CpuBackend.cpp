//===- CpuBackend.cpp - a program for CPUs --------------------------------===//
//
// The Backend of programs whose generated code is corellama_programs.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cpu/CpuCheck.h"
#include "runtime/Cpu/CpuExecutor.h"
#include "runtime/Executor/GeneratedCode.h"

namespace corellama::runtime {

namespace {
class CpuBackend : public Backend {
public:
  std::optional<Error> choose(const std::optional<std::string> &name) override {
    return chooseProgram(corellama_programs, name).moveTo(program);
  }

  std::string describe() const override {
    return targetsOf(corellama_programs) +
           (corellama_programs[1] && program
                ? std::string("; this CPU runs that for ") + program->target
                : std::string());
  }

  CodeFacts facts() const override {
    uint64_t place = 0;
    while (corellama_programs[place] != program)
      ++place;
    return factsOf(*program, place);
  }

  Result<std::unique_ptr<Executor>>
  start(const MappedImage &image, const ExecutorSettings &settings) override {
    return CpuExecutor::create(*program, image, settings);
  }

private:
  /// Null until it is chosen.
  const abi::Program *program = nullptr;
};
} // namespace

std::unique_ptr<Backend> createBackend() {
  return std::make_unique<CpuBackend>();
}

} // namespace corellama::runtime
