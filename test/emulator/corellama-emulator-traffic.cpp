//===- corellama-emulator-traffic.cpp - what kernels ask memory for -------===//
//
// A module that `corellama compile --target=cuda:... --compile-to=vector` wrote
// -> a line of JSON for each kernel that is named, with what EmulatorTraffic
// counts. Of each launch some blocks run, on zeros: what is asked for depends
// on addresses alone, so no weights are needed. benchmarks/cuda_traffic.py
// calls it.
//
//===----------------------------------------------------------------------===//

#include "compiler/Registration/Registration.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "test/emulator/EmulatorModule.h"
#include "test/emulator/Passes.h"
#include "llvm/Support/JSON.h"

using namespace corellama;

namespace {
/// More than one layer has, with embedding and head.
constexpr uint64_t kWeights = 16;
/// More than one position of RoPE's table has.
constexpr uint64_t kRopeRow = 1024;

int fail(const llvm::Twine &message) {
  llvm::errs() << "corellama-emulator-traffic: " << message << "\n";
  return 1;
}

llvm::json::Object toJson(const EmulatorTraffic::Site &site) {
  return llvm::json::Object{{"kind", EmulatorTraffic::nameOf(site.kind)},
                            {"site", site.number},
                            {"memory", site.memory},
                            {"width", site.width},
                            {"requests", site.requests},
                            {"sectors", site.sectors},
                            {"lines", site.lines},
                            {"fewest", site.fewest},
                            {"passes", site.passes},
                            {"least_passes", site.leastPasses},
                            {"worst", site.worst}};
}

void print(const EmulatorTraffic::Launch &launch) {
  llvm::json::Array sites;
  for (const EmulatorTraffic::Site &site : launch.sites)
    sites.push_back(toJson(site));
  llvm::outs() << llvm::json::Value(
                      llvm::json::Object{{"kernel", launch.kernel},
                                         {"blocks", launch.blocks},
                                         {"ran", launch.ran},
                                         {"l2_bytes", launch.l2Bytes},
                                         {"dram_bytes", launch.dramBytes},
                                         {"sites", std::move(sites)}})
               << "\n";
}
} // namespace

int main(int argc, char **argv) {
  // Rows of a prefill call, keys of a decode step, blocks of a launch that are
  // run, and room for the largest weight and for all keys, as for all values.
  uint64_t numbers[5];
  auto &[rows, keys, blocks, weightBytes, cacheBytes] = numbers;
  constexpr int kNames = 2 + int(std::size(numbers));
  bool isRight = argc > kNames;
  for (size_t i = 0; isRight && i < std::size(numbers); ++i)
    isRight = !llvm::StringRef(argv[2 + i]).getAsInteger(10, numbers[i]) &&
              numbers[i] > 0;
  if (!isRight)
    return fail("give a module of phase vector, rows, keys, blocks, bytes of a "
                "weight, bytes of keys, and names of kernels");
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext mlirContext(registry,
                                mlir::MLIRContext::Threading::DISABLED);
  auto parsed = mlir::parseSourceFile<mlir::ModuleOp>(
      argv[1], mlir::ParserConfig(&mlirContext));
  if (!parsed)
    return 1; // it has been said
  mlir::PassManager manager(&mlirContext);
  emulator::buildLLVMPasses(manager);
  if (mlir::failed(manager.run(*parsed)))
    return 1;
  auto module = EmulatorModule::load(*parsed);
  if (!module)
    return fail(llvm::toString(module.takeError()));

  KernelContextSizes sizes;
  sizes.weightBytes = kWeights * weightBytes;
  sizes.workspaceBytes = module->program().workspaceBytes;
  sizes.keyBytes = sizes.valueBytes = cacheBytes;
  sizes.ropeRow = kRopeRow;
  sizes.capacity = llvm::alignTo(std::max(keys, rows), abi::kCacheBlock);
  KernelContext context(sizes);
  for (uint64_t i = 0; i < kWeights; ++i)
    context.offsets.push_back(i * weightBytes);
  context.regions.assign(kWeights, 0);

  for (llvm::StringRef name : llvm::ArrayRef(argv + kNames, argv + argc)) {
    auto number = module->lookup(name);
    if (!number)
      return fail("there is no kernel " + name);
    const abi::DeviceKernel &kernel = module->kernels()[*number];
    const bool isPrefill = name.ends_with(".prefill");
    context.setRows(isPrefill ? rows : 1, isPrefill ? 0 : keys - 1);
    EmulatorTraffic traffic(context.ranges(), blocks);
    EmulatorOptions options;
    options.findConflicts = false;
    options.traffic = &traffic;
    const abi::Context arguments = context.context();
    if (llvm::Error error =
            module->makeDevice(context, options)
                .launch(*number, arguments, /*layer=*/0,
                        kernel.parts(arguments.rows, arguments.capacity)))
      return fail(llvm::toString(std::move(error)));
    print(traffic.launches().front());
  }
  return 0;
}
