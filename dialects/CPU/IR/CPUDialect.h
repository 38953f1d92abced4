//===- CPUDialect.h - the cpu dialect -------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H
#define CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H

#include "dialects/Llama/IR/LlamaDialect.h"

#include "dialects/CPU/IR/CPUDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/CPU/IR/CPUAttributes.h.inc"
#define GET_OP_CLASSES
#include "dialects/CPU/IR/CPUOps.h.inc"

#endif // CORELLAMA_DIALECTS_CPU_IR_CPUDIALECT_H
