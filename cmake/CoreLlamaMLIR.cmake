# Finds LLVM, MLIR and lld 22 (Debian's packages) and gives the functions that the
# folders use: corellama_library for a library that links LLVM, corellama_llvm_flags
# for any other target that does, and corellama_dialect for what is generated from a
# dialect's ODS.
list(APPEND CMAKE_PREFIX_PATH /usr/lib/llvm-22)
find_package(MLIR 22.1 REQUIRED CONFIG) # pulls in LLVM of the same version
find_package(LLD 22.1 REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
# The default, llvm-lit, is not in the packages.
set(LLVM_EXTERNAL_LIT ${LLVM_TOOLS_BINARY_DIR}/lit CACHE STRING "lit")
set(MLIR_BINARY_DIR ${CMAKE_BINARY_DIR}) # where add_mlir_doc writes docs/
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# mlir_tablegen reads the directory property, so this is set for all folders.
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS} ${LLD_INCLUDE_DIRS})
include_directories(${CORELLAMA_SOURCE_DIR} ${CORELLAMA_BINARY_DIR})
separate_arguments(CORELLAMA_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")

# The flags of everything that links LLVM; the runtime has its own.
set(CORELLAMA_COMPILE_OPTIONS -Wall -Wextra -Wno-unused-parameter -fno-exceptions)

# A precompiled header of the upstream headers that most files reach through ours:
# parsing them is most of what a file costs. None of our own headers is in it, so
# that it is made once. Only with clang, whose precompiled header also holds the
# instantiated templates; every file must still include what it uses, which
# -DCORELLAMA_PCH=OFF and scripts/lint --tidy verify.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(CORELLAMA_PCH_DEFAULT ON)
else()
  set(CORELLAMA_PCH_DEFAULT OFF)
endif()
option(CORELLAMA_PCH "Precompile the headers of LLVM and MLIR" ${CORELLAMA_PCH_DEFAULT})
if(CORELLAMA_PCH)
  set(pch_source ${CMAKE_BINARY_DIR}/CoreLlamaPCH.cpp)
  file(CONFIGURE OUTPUT ${pch_source}
       CONTENT "// The precompiled header needs a target, a target a file.\n")
  add_library(CoreLlamaPCH OBJECT ${pch_source})
  target_precompile_headers(CoreLlamaPCH PRIVATE
    ${CORELLAMA_SOURCE_DIR}/cmake/PrecompiledHeaders.h)
  # Without a time stamp inside, so that ccache knows it again.
  set(CORELLAMA_PCH_OPTIONS "SHELL:-Xclang -fno-pch-timestamp")
  target_compile_options(CoreLlamaPCH PRIVATE
    ${CORELLAMA_COMPILE_OPTIONS} ${CORELLAMA_PCH_OPTIONS})
  target_compile_definitions(CoreLlamaPCH PRIVATE ${CORELLAMA_LLVM_DEFINITIONS})
endif()

# corellama_llvm_flags(NAME): how a target that includes LLVM's headers is compiled.
function(corellama_llvm_flags name)
  target_compile_options(${name} PRIVATE
    ${CORELLAMA_COMPILE_OPTIONS} ${CORELLAMA_PCH_OPTIONS})
  target_compile_definitions(${name} PRIVATE ${CORELLAMA_LLVM_DEFINITIONS})
  if(CORELLAMA_PCH)
    target_precompile_headers(${name} REUSE_FROM CoreLlamaPCH)
  endif()
endfunction()

# corellama_library(NAME SOURCES... DEPENDS targets... LINK libraries...)
function(corellama_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  corellama_llvm_flags(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# corellama_dialect(NAME [ATTRIBUTES] [TYPES]): C++ and reference pages of the dialect
# in NAMEOps.td. The target CoreLlamaNAMEIncGen makes them, and every file for which the
# folder has called mlir_tablegen before.
function(corellama_dialect name)
  cmake_parse_arguments(ARG "ATTRIBUTES;TYPES" "" "" ${ARGN})
  string(TOLOWER ${name} dialect)
  set(LLVM_TARGET_DEFINITIONS ${name}Ops.td)
  mlir_tablegen(${name}Dialect.h.inc -gen-dialect-decls -dialect=${dialect})
  mlir_tablegen(${name}Dialect.cpp.inc -gen-dialect-defs -dialect=${dialect})
  mlir_tablegen(${name}Ops.h.inc -gen-op-decls -dialect=${dialect})
  mlir_tablegen(${name}Ops.cpp.inc -gen-op-defs -dialect=${dialect})
  if(ARG_ATTRIBUTES)
    mlir_tablegen(${name}Attributes.h.inc -gen-attrdef-decls -attrdefs-dialect=${dialect})
    mlir_tablegen(${name}Attributes.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${dialect})
  endif()
  if(ARG_TYPES)
    mlir_tablegen(${name}Types.h.inc -gen-typedef-decls -typedefs-dialect=${dialect})
    mlir_tablegen(${name}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${dialect})
  endif()
  add_public_tablegen_target(CoreLlama${name}IncGen)
  add_mlir_doc(${name}Ops ${name} Dialects/ -gen-dialect-doc -dialect=${dialect})
endfunction()
