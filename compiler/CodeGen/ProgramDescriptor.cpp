//===- ProgramDescriptor.cpp - the constant `corellama_program` -----------===//
//
// From the attributes llama.program, llama.kernels and llama.target of a module
// to a constant of type abi::Program in LLVM IR, or, where the steps launch
// kernels (`launches` in llama.program), `corellama_device_program` of type
// abi::DeviceProgram. A file of its own because it alone depends on the layout
// of these structs; the tests load one of each and read it through runtime/ABI.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "runtime/ABI/Device.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/GlobalVariable.h"

using namespace corellama;
using namespace corellama::codegen;
using llvm::Constant;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// Builds the constant for one module.
class DescriptorBuilder {
public:
  DescriptorBuilder(llvm::Module &llvmModule, mlir::ModuleOp module,
                    llvm::ArrayRef<DeviceCode> code)
      : llvmModule(llvmModule), module(module), code(code),
        context(llvmModule.getContext()),
        pointer(llvm::PointerType::getUnqual(context)),
        i32(llvm::Type::getInt32Ty(context)),
        i64(llvm::Type::getInt64Ty(context)),
        nothing(llvm::Type::getVoidTy(context)) {}

  llvm::Error build();

private:
  static llvm::Error error(const Twine &what) {
    return llvm::createStringError("code generation: " + what);
  }
  Expected<Constant *> integer(mlir::DictionaryAttr dictionary,
                               const Twine &place, StringRef name,
                               unsigned bits = 64) const;
  Expected<Constant *> function(StringRef name, llvm::FunctionType *type);
  Expected<Constant *> referenced(mlir::DictionaryAttr kernel,
                                  const Twine &place, StringRef name,
                                  llvm::FunctionType *type);
  Expected<Constant *> buildEntries(mlir::DictionaryAttr program,
                                    StringRef name);
  Expected<Constant *> buildChoose(mlir::DictionaryAttr program);
  Expected<Constant *> buildKernels(mlir::ArrayAttr kernels);
  Expected<Constant *> buildKernel(mlir::DictionaryAttr kernel, StringRef name);
  Constant *buildModules();
  Constant *text(StringRef string);
  Constant *table(llvm::ArrayRef<Constant *> rows, const Twine &name);
  Constant *constant(llvm::Type *type, Constant *value, const Twine &name,
                     llvm::GlobalValue::LinkageTypes linkage);
  void internalizeTheRest();

  llvm::Module &llvmModule;
  mlir::ModuleOp module;
  llvm::ArrayRef<DeviceCode> code;
  llvm::LLVMContext &context;
  llvm::PointerType *pointer;
  llvm::IntegerType *i32;
  llvm::IntegerType *i64;
  llvm::Type *nothing;
  /// Whether the steps launch kernels: the constant is a DeviceProgram.
  bool launches = false;
  /// Functions that the constant refers to.
  llvm::SmallPtrSet<llvm::Function *, 32> named;
};

} // namespace

Expected<Constant *> DescriptorBuilder::integer(mlir::DictionaryAttr dictionary,
                                                const Twine &place,
                                                StringRef name,
                                                unsigned bits) const {
  auto value = dictionary.getAs<mlir::IntegerAttr>(name);
  if (!value || !value.getType().isInteger(64) || value.getInt() < 0)
    return error(place + ": " + name + " is missing or no 64-bit count");
  if (!llvm::isUIntN(bits, value.getInt()))
    return error(place + ": " + name + " is " + Twine(value.getInt()) +
                 ", which has no room in " + Twine(bits) + " bits");
  return llvm::ConstantInt::get(llvm::Type::getIntNTy(context, bits),
                                value.getInt());
}

Expected<Constant *> DescriptorBuilder::function(StringRef name,
                                                 llvm::FunctionType *type) {
  llvm::Function *result = llvmModule.getFunction(name);
  if (!result || result->isDeclaration())
    return error("function @" + name + " is not defined");
  if (result->getFunctionType() != type) {
    std::string expected;
    llvm::raw_string_ostream(expected) << *type;
    return error("function @" + name + " has another signature than " +
                 expected);
  }
  // The function stays a symbol, and is not inlined, so that a profiler shows
  // it.
  result->setLinkage(llvm::GlobalValue::ExternalLinkage);
  result->setVisibility(llvm::GlobalValue::HiddenVisibility);
  result->setDSOLocal(true);
  result->addFnAttr(llvm::Attribute::NoInline);
  named.insert(result);
  return result;
}

Expected<Constant *> DescriptorBuilder::referenced(mlir::DictionaryAttr kernel,
                                                   const Twine &place,
                                                   StringRef name,
                                                   llvm::FunctionType *type) {
  auto symbol = kernel.getAs<mlir::FlatSymbolRefAttr>(name);
  if (!symbol)
    return error(place + ": " + name + " is missing or no symbol");
  return function(symbol.getValue(), type);
}

/// A list of abi::Entry or abi::DeviceEntry: name, rows, step.
Expected<Constant *>
DescriptorBuilder::buildEntries(mlir::DictionaryAttr program, StringRef name) {
  auto list = program.getAs<mlir::ArrayAttr>(name);
  if (!list)
    return error(llama::kProgramAttr + ": " + name + " is missing or no list");
  llvm::SmallVector<llvm::Type *> arguments = {pointer, pointer};
  if (!launches)
    arguments.push_back(i32);
  auto *type = llvm::FunctionType::get(nothing, arguments, false);
  llvm::SmallVector<Constant *> entries;
  int64_t last = 0;
  for (auto [index, attribute] : llvm::enumerate(list)) {
    std::string place =
        (llama::kProgramAttr + ": " + name + ": number " + Twine(index)).str();
    auto entry = llvm::dyn_cast<mlir::DictionaryAttr>(attribute);
    auto called =
        entry ? entry.getAs<mlir::StringAttr>("name") : mlir::StringAttr();
    if (!called || called.getValue().contains('\0'))
      return error(place + " has no name");
    Expected<Constant *> rows = integer(entry, place, "rows", 31);
    if (!rows)
      return rows;
    int64_t bound = entry.getAs<mlir::IntegerAttr>("rows").getInt();
    if (bound <= last)
      return error(place + ": rows is " + Twine(bound) + " after " +
                   Twine(last) + ", expected ascending bounds");
    last = bound;
    Expected<Constant *> step = referenced(entry, place, "step", type);
    if (!step)
      return step;
    entries.push_back(llvm::ConstantStruct::getAnon(
        {text(called.getValue()), llvm::ConstantInt::get(i64, bound), *step}));
  }
  return table(entries, "corellama." + name);
}

/// abi::DeviceProgram::choose, null where no step chooses.
Expected<Constant *>
DescriptorBuilder::buildChoose(mlir::DictionaryAttr program) {
  if (!program.contains("choose"))
    return llvm::ConstantPointerNull::get(pointer);
  return referenced(
      program, llama::kProgramAttr, "choose",
      llvm::FunctionType::get(nothing, {pointer, pointer}, false));
}

/// A constant array, or null where there is nothing.
Constant *DescriptorBuilder::table(llvm::ArrayRef<Constant *> rows,
                                   const Twine &name) {
  if (rows.empty())
    return llvm::ConstantPointerNull::get(pointer);
  auto *type = llvm::ArrayType::get(rows[0]->getType(), rows.size());
  return constant(type, llvm::ConstantArray::get(type, rows), name,
                  llvm::GlobalValue::InternalLinkage);
}

Constant *DescriptorBuilder::constant(llvm::Type *type, Constant *value,
                                      const Twine &name,
                                      llvm::GlobalValue::LinkageTypes linkage) {
  return new llvm::GlobalVariable(llvmModule, type, /*isConstant=*/true,
                                  linkage, value, name);
}

Constant *DescriptorBuilder::text(StringRef string) {
  Constant *bytes = llvm::ConstantDataArray::getString(context, string);
  return constant(bytes->getType(), bytes, "corellama.text",
                  llvm::GlobalValue::PrivateLinkage);
}

/// abi::Kernel: name, function, parts, scratchBytes. abi::DeviceKernel: name,
/// entry, thread, parts, threads, sharedBytes, the last two of 32 bits.
Expected<Constant *> DescriptorBuilder::buildKernel(mlir::DictionaryAttr kernel,
                                                    StringRef name) {
  std::string place = ("kernel '" + name + "'").str();
  llvm::SmallVector<llvm::Type *> arguments = {pointer, i32};
  if (!launches)
    arguments = {pointer, pointer, i32, i32, i32, i32};
  Constant *null = llvm::ConstantPointerNull::get(pointer);
  llvm::SmallVector<Constant *> fields = {text(name)};
  auto onDevice = kernel.getAs<mlir::SymbolRefAttr>("function");
  if (launches && onDevice && !onDevice.getNestedReferences().empty()) {
    fields.append({text(onDevice.getLeafReference()), null});
  } else {
    Expected<Constant *> function =
        referenced(kernel, place, "function",
                   llvm::FunctionType::get(nothing, arguments, false));
    if (!function)
      return function;
    if (launches)
      fields.push_back(null);
    fields.push_back(*function);
  }
  Expected<Constant *> parts = referenced(
      kernel, place, "parts", llvm::FunctionType::get(i64, {i64, i64}, false));
  if (!parts)
    return parts;
  fields.push_back(*parts);
  if (launches) {
    Expected<Constant *> threads = integer(kernel, place, "threads", 32);
    if (!threads)
      return threads;
    fields.push_back(*threads);
  }
  Expected<Constant *> scratch =
      integer(kernel, place, "scratch_bytes", launches ? 32 : 64);
  if (!scratch)
    return scratch;
  fields.push_back(*scratch);
  return llvm::ConstantStruct::getAnon(fields);
}

/// A list of abi::DeviceModule.
Constant *DescriptorBuilder::buildModules() {
  llvm::SmallVector<Constant *> rows;
  for (const DeviceCode &each : code) {
    Constant *bytes = llvm::ConstantDataArray::getString(
        context, StringRef(each.bytes.data(), each.bytes.size()),
        /*AddNull=*/false);
    auto *global = llvm::cast<llvm::GlobalVariable>(
        constant(bytes->getType(), bytes, "corellama.device_code",
                 llvm::GlobalValue::PrivateLinkage));
    global->setAlignment(llvm::Align(64));
    rows.push_back(llvm::ConstantStruct::getAnon(
        {text(each.architecture), global,
         llvm::ConstantInt::get(i64, each.bytes.size()),
         llvm::ConstantInt::get(i64, each.isAssembled)}));
  }
  return table(rows, "corellama.device_modules");
}

Expected<Constant *> DescriptorBuilder::buildKernels(mlir::ArrayAttr kernels) {
  llvm::StringSet<> names;
  llvm::SmallVector<Constant *> rows;
  for (auto [index, attr] : llvm::enumerate(kernels)) {
    auto kernel = llvm::dyn_cast<mlir::DictionaryAttr>(attr);
    auto name =
        kernel ? kernel.getAs<mlir::StringAttr>("name") : mlir::StringAttr();
    if (!name || name.getValue().contains('\0'))
      return error("llama.kernels: entry " + Twine(index) + " has no name");
    if (!names.insert(name.getValue()).second)
      return error("kernel '" + name.getValue() + "': is there twice");
    Expected<Constant *> row = buildKernel(kernel, name.getValue());
    if (!row)
      return row;
    rows.push_back(*row);
  }
  return table(rows, "corellama.kernels");
}

/// Functions without external callers: LLVM may inline and drop them.
void DescriptorBuilder::internalizeTheRest() {
  for (llvm::Function &function : llvmModule)
    if (!function.isDeclaration() && !named.contains(&function)) {
      function.setVisibility(llvm::GlobalValue::DefaultVisibility);
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
    }
}

llvm::Error DescriptorBuilder::build() {
  auto program =
      module->getAttrOfType<mlir::DictionaryAttr>(llama::kProgramAttr);
  if (!program)
    return error(
        "the module has no llama.program; was it lowered to phase llvm?");
  auto kernels = module->getAttrOfType<mlir::ArrayAttr>(llama::kKernelsAttr);
  if (!kernels)
    return error(
        "the module has no llama.kernels; was it lowered to phase llvm?");
  auto target = llama::getTarget(module);
  if (!target)
    return error("the module has no llama.target");
  launches = program.contains("launches");
  StringRef symbol =
      launches ? "corellama_device_program" : "corellama_program";
  if (llvmModule.getNamedValue(symbol))
    return error("the name " + symbol + " is taken");

  // abi::Program or abi::DeviceProgram, field by field.
  llvm::SmallVector<Constant *> fields = {
      llvm::ConstantInt::get(i32, abi::kVersion),
      llvm::ConstantInt::get(i32, 0), text(target.getName())};
  if (!launches)
    fields.push_back(text(target.getFeatures()));
  for (StringRef name : {"entries", "lm_heads"}) {
    Expected<Constant *> list = buildEntries(program, name);
    if (!list)
      return list.takeError();
    fields.push_back(*list);
    fields.push_back(llvm::ConstantInt::get(
        i64, program.getAs<mlir::ArrayAttr>(name).size()));
  }
  if (launches) {
    Expected<Constant *> choose = buildChoose(program);
    if (!choose)
      return choose.takeError();
    fields.push_back(*choose);
  }
  Expected<Constant *> list = buildKernels(kernels);
  if (!list)
    return list.takeError();
  fields.push_back(*list);
  fields.push_back(llvm::ConstantInt::get(i64, kernels.size()));
  llvm::SmallVector<StringRef> sizes = {"workspace_bytes"};
  if (!launches)
    sizes.push_back("scratch_bytes"); // each launch passes its kernel's own
  else
    fields.append({buildModules(), llvm::ConstantInt::get(i64, code.size())});
  sizes.push_back("logits_offset");
  for (StringRef name : sizes) {
    Expected<Constant *> value = integer(program, llama::kProgramAttr, name);
    if (!value)
      return value.takeError();
    fields.push_back(*value);
  }
  Constant *value = llvm::ConstantStruct::getAnon(fields);
  auto *descriptor = llvm::cast<llvm::GlobalVariable>(
      llvmModule.getOrInsertGlobal(symbol, value->getType()));
  descriptor->setConstant(true);
  descriptor->setInitializer(value);
  auto *listType = llvm::ArrayType::get(pointer, 2);
  auto *all = llvm::cast<llvm::GlobalVariable>(
      llvmModule.getOrInsertGlobal((symbol + "s").str(), listType));
  all->setConstant(true);
  all->setInitializer(llvm::ConstantArray::get(
      listType, {descriptor, llvm::ConstantPointerNull::get(pointer)}));
  internalizeTheRest();
  return llvm::Error::success();
}

llvm::Error
corellama::codegen::addProgramDescriptor(llvm::Module &llvmModule,
                                         mlir::ModuleOp module,
                                         llvm::ArrayRef<DeviceCode> code) {
  return DescriptorBuilder(llvmModule, module, code).build();
}
