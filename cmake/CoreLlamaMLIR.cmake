# Finds LLVM, MLIR and lld 22 (Debian's packages) and gives the two functions
# that the folders use: corellama_tablegen and corellama_library.
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

# corellama_library(NAME SOURCES... DEPENDS targets... LINK libraries...)
function(corellama_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE ${CORELLAMA_COMPILE_OPTIONS})
  target_compile_definitions(${name} PUBLIC ${CORELLAMA_LLVM_DEFINITIONS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()
