//===- Ceilings.h - what memory and units do at best ----------------------===//
//
// Compiles loops that only read, or only multiply (passes/CPU/CeilingLoops.h),
// for this machine and measures them on the pages of a program's weights.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_BENCH_CEILINGS_H
#define CORELLAMA_COMPILER_BENCH_CEILINGS_H

#include "compiler/Bench/Work.h"
#include "compiler/Runner/KernelContext.h"
#include "compiler/Runner/Runner.h"
#include <memory>

namespace corellama::bench {

class Ceilings {
public:
  /// `weights` are a program's, `units` what its kernels multiply with.
  static llvm::Expected<std::unique_ptr<Ceilings>>
  create(mlir::MLIRContext &context, llvm::ArrayRef<mlir::Attribute> units,
         llvm::ArrayRef<uint8_t> weights);

  /// Some tenths of a second: of each loop the time of all `threads` threads;
  /// the best loop that reads.
  Rates measure(unsigned threads) const;

  /// Some milliseconds: the same by the loop that read fastest in `measured`,
  /// from where the last sample ended, so that no cache has it.
  Rates sample(unsigned threads, const Rates &measured);

private:
  Ceilings(RunnerModule loops) : loops(std::move(loops)) {}

  double secondsOf(const abi::Kernel &kernel, uint64_t first, uint64_t count,
                   unsigned threads) const;

  struct Loop {
    const abi::Kernel *kernel;
    double unitsOfWork; ///< bytes or operations of one part
  };
  RunnerModule loops;
  llvm::SmallVector<Loop> reads, peaks;
  /// Where there are fewer weights than threads read at least.
  AlignedBytes standIn;
  abi::Context call = {};
  uint64_t parts = 0;
  /// The part that the next sample reads first.
  uint64_t nextPart = 0;
};

} // namespace corellama::bench

#endif // CORELLAMA_COMPILER_BENCH_CEILINGS_H
