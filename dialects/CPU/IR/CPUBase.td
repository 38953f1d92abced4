//===- CPUBase.td - the cpu dialect ---------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUBASE
#define CORELLAMA_DIALECTS_CPU_IR_CPUBASE

include "dialects/Llama/IR/LlamaOpBase.td"

def CPU_Dialect : Dialect {
  let name = "cpu";
  let cppNamespace = "::corellama::cpu";
  let summary = "instructions of CPUs that upstream lacks";
  let description = [{
    Phase `vector` of the CPU: kernel bodies are upstream's `vector`, `arith`,
    `scf` and `memref`, memory is reached by `context`, and here is one op for
    each instruction that upstream lacks, with the same meaning on any target
    that has it.

    Before that phase it has the target, and how kernels run on it: attributes.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerAttributes();";
}

#endif
