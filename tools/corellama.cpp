//===- corellama.cpp - the compiler's command line ------------------------===//
//
// See compiler/Driver.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Driver.h"

int main(int argc, char **argv) { return corellama::driverMain(argc, argv); }
