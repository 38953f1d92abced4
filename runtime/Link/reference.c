//===- reference.c - stands for a compiled model in one ordinary link -----===//
//
// The stubs of the C library are made from a program that was linked the usual
// way (make_stub.py). This file takes the place of the object that the compiler
// would emit: it defines what the runtime refers to and refers to all that
// generated code may call in the C library.
//
//===----------------------------------------------------------------------===//

#include <string.h>

// Never run: only its name is needed.
const void *const corellama_programs[1] = {0};
const void *const corellama_device_programs[1] = {0};

// LLVM makes calls of these from loops and large copies.
__attribute__((used, retain)) void *const corellama_generated_code_calls[] = {
    (void *)memcpy, (void *)memmove, (void *)memset};
