//===- LlamaInterfaces.td - formats, layouts, targets, units, phases ------===//
//
// The interfaces that keep choices open: how a weight's numbers are written down
// (format), and those of rounded rows (record), in which order a weight's bytes
// lie (layout), which machine runs a kernel
// (target, planner), how (strategy) and with which instructions (unit). They
// hold facts only. What emits the loads of a format or the code of a unit is
// attached from `passes/`, so that dialects depend on no lowering.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAINTERFACES
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAINTERFACES

include "mlir/IR/OpBase.td"

def Llama_FormatInterface : AttrInterface<"FormatInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    What the bytes of a weight mean. A row of a weight is divided along its columns
    (the k of a product) into blocks of `getBlock()` values; a block is made of planes:
    its quants, its scales, its minima. A plane holds one field of `bits` bits for each
    `per` columns.

    Example, Q4_1: block 32, 20 bytes, planes
    `{quants: 4 bits per 1}, {scales: 16 bits per 32}, {minima: 16 bits per 32}`
    and the value is `scale * quant + minimum`.

    A format answers with its facts (LlamaFormats.h) and has no code of its own.
  }];
  let methods = [
    InterfaceMethod<"Block, fields, places and formula: the format's row of the table.",
                    "const ::corellama::llama::FormatFacts &", "getFacts">,
  ];
  let extraClassDeclaration = [{
    /// The mnemonic: "q4_0".
    ::llvm::StringRef getName() const { return getFacts().name; }
    /// Columns that share a block; 1 for plain numbers.
    int64_t getBlock() const { return getFacts().block; }
    /// Bytes of one block in the checkpoint.
    int64_t getBlockBytes() const { return getFacts().blockBytes; }
    ::llvm::ArrayRef<::corellama::llama::Plane> getPlanes() const {
      return getFacts().planes;
    }
    /// Columns that one scale covers, which is the block in which sums over k
    /// are made.
    int64_t getScaleBlock() const { return getFacts().scaleBlock(); }
    bool hasScale() const { return getFacts().has(PlaneKind::Scales); }
    bool hasMinimum() const { return getFacts().has(PlaneKind::Minima); }
  }];
}

def Llama_RowRecordInterface : TypeInterface<"RowRecordInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    The type of an element of rows that are rounded in blocks of 32 columns. A
    block is a float32 d and an integer for each column, whose product is the
    column's value. An integer is digits within +-127, each of which counts 254
    times as much as the next: with one digit it is that digit, with three it is
    within +-127 * 254^2, which is 8193532.

    In memory a block is a record: the digits, 32 signed bytes for the highest one of
    each column, then 32 for the next; d; for each digit its sum over all columns
    and over the last 16, as int32, times -128; d times the sum of the integers
    as float32, which a weight's minimum is multiplied by. Quants of a weight are
    made unsigned by adding 128, or a smaller power of two, so that minus that
    times the sum is what a sum of products begins with: the number in the record,
    or one shift of it. With three digits the second digit of column 70 is byte
    2 * 128 + 32 + 6 of its row, and d the float32 at byte 2 * 128 + 96.
  }];
  let methods = [
    InterfaceMethod<"Digits of an integer.", "int64_t", "getDigits">,
    InterfaceMethod<"The type's name: \"q8b32\".", "::llvm::StringRef", "getName",
                    (ins), "", "return $_type.getMnemonic();">,
  ];
  let extraClassDeclaration = [{
    /// Columns of a block, and columns of a digit's second sum.
    static constexpr int64_t kBlock = 32, kHalf = 16;
    /// Digits are in [-kLargestDigit, kLargestDigit].
    static constexpr int64_t kLargestDigit = 127, kBase = 254;
    /// What the sums of digits in a record are multiplied by.
    static constexpr int32_t kSumFactor = -128;

    /// What a digit counts; the first is the highest.
    int64_t getPlaceValue(int64_t digit) const {
      int64_t value = 1;
      for (int64_t i = digit + 1; i < getDigits(); ++i)
        value *= kBase;
      return value;
    }
    /// The largest integer: divided by the first digit's value it rounds to
    /// kLargestDigit, and so do rests, at most half of a value, by the next one's.
    int64_t getLargest() const { return kLargestDigit * getPlaceValue(0); }

    /// Where the numbers are in a record.
    int64_t getDigitByte(int64_t digit) const { return kBlock * digit; }
    int64_t getScaleByte() const { return kBlock * getDigits(); }
    int64_t getSumByte(int64_t digit) const { return getScaleByte() + 4 + 8 * digit; }
    int64_t getLastHalfSumByte(int64_t digit) const { return getSumByte(digit) + 4; }
    int64_t getScaledSumByte() const { return getSumByte(getDigits()); }

    int64_t getRecordBytes() const { return getScaledSumByte() + 4; }
    int64_t getRowBytes(int64_t columns) const {
      return (columns + kBlock - 1) / kBlock * getRecordBytes();
    }
  }];
}

def Llama_LayoutInterface : AttrInterface<"LayoutInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    In which order the bytes of a weight lie in the image. `locate` is the
    definition; packing, reading back and sizes are tested against it: each
    field of each plane has a place of its own, inside `byteSize`.

    Example, `interleaved16<k = 1>` of a 20 x 3 weight in F32: two groups of 16 rows,
    the second padded with zeros; in a group, columns ascend and each column is
    16 consecutive rows. Row 17, column 2 is at byte
    `1 * (3 * 16 * 4) + 2 * (16 * 4) + 1 * 4 = 324`; the size is 384.
  }];
  let methods = [
    InterfaceMethod<[{
      Whether weights of this format and shape can be laid out so; emits nothing,
      `why` is the reason.}], "::llvm::LogicalResult", "accepts",
      (ins "::corellama::llama::FormatInterface":$format, "int64_t":$rows,
           "int64_t":$columns, "std::string &":$why)>,
    InterfaceMethod<"Bytes, padding included. Overflow is failure.",
      "::llvm::FailureOr<uint64_t>", "byteSize",
      (ins "::corellama::llama::FormatInterface":$format, "int64_t":$rows,
           "int64_t":$columns)>,
    InterfaceMethod<"Byte and bit of the field of `plane` that covers (row, column).",
      "::corellama::llama::BitPosition", "locate",
      (ins "::corellama::llama::FormatInterface":$format, "int64_t":$rows,
           "int64_t":$columns, "unsigned":$plane, "int64_t":$row,
           "int64_t":$column)>,
  ];
}

def Llama_KVCacheLayoutInterface : AttrInterface<"KVCacheLayoutInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    The address in memory of each element of the cache's keys, or of its values.
    All code that reserves, writes or reads the cache uses it: the planner of
    the image, kernels of every target, the emulator (its size), tests.
  }];
  let methods = [
    InterfaceMethod<[{
      The address of an element as a formula of head, position and element, for
      heads of this size and elements of this type.}],
      "::corellama::llama::KVCacheStrides", "getStrides",
      (ins "int64_t":$headSize, "::mlir::Type":$element)>,
  ];
  let extraClassDeclaration = [{
    /// Bytes of `capacity` positions of all layers and heads, padding included,
    /// for `element`, the cache's type of keys or of values. Overflow is failure.
    ::llvm::FailureOr<uint64_t> getCacheBytes(
        const ::corellama::llama::CacheType &type, ::mlir::Type element,
        uint64_t capacity) const;
  }];
}

def Llama_TargetInterface : AttrInterface<"TargetInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    The machine that code is generated for: `#cpu.target`, `#cuda.target`. The
    driver sets it on the module as `llama.target` before `specialize`. Facts
    only; what a target decides is `PlannerInterface`.
  }];
  let methods = [
    InterfaceMethod<"The name on the command line.", "::llvm::StringRef", "getName">,
    InterfaceMethod<"Features in LLVM's spelling, \"+avx2,+fma\".",
      "::llvm::StringRef", "getFeatures">,
    InterfaceMethod<[{
      Which passes lower to it: \"cpu\" or \"cuda\", the namespace of the dialect
      of its instructions.}], "::llvm::StringRef", "getBackend">,
  ];
}

def Llama_PlannerInterface : AttrInterface<"PlannerInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    What a target chooses for a kernel: unit, tile, partition, reduction orders,
    and the layouts of weights and cache. An external model of the target's
    attribute, attached by `passes/CPU` or `passes/CUDA`. A pass that needs a
    planner reports an error for a target without one.
  }];
  let methods = [
    InterfaceMethod<[{
      What `auto` rounds the rows of a linear to, as the type of an element; null:
      they stay float32. Asked at specialize, of linears on float32 rows.}],
      "::mlir::Type", "getRowsType", (ins "::mlir::Operation *":$linear)>,
    InterfaceMethod<"Keys that attention treats as one block.", "int64_t",
      "getAttentionKeys">,
    InterfaceMethod<[{
      Rows of one register tile of a product. A call of at most so many reads each
      weight once, from memory, and its rows are few: each part of a kernel can
      afford to make them anew, and attention is partitioned by keys.}],
      "int64_t", "getFewRows">,
    InterfaceMethod<"The layout of a weight of this format; null: it has none.",
      "::mlir::Attribute", "getWeightLayout",
      (ins "::corellama::llama::FormatInterface":$format, "int64_t":$rank)>,
    InterfaceMethod<[{
      The layouts of the cache's keys and values; null: the target reads no cache of
      these types.}],
      "std::pair<::mlir::Attribute, ::mlir::Attribute>", "getCacheLayouts",
      (ins "::mlir::Type":$keyType, "::mlir::Type":$valueType)>,
    InterfaceMethod<[{
      Strategy of a kernel (an operation of type llama.kernel), and the sizes of its
      parts.}],
      "::corellama::llama::KernelPlan", "plan", (ins "::mlir::Operation *":$kernel)>,
    InterfaceMethod<[{
      The order (#llama.reduction_order) of a sum that no unit makes: of a norm or
      of attention.}],
      "::mlir::Attribute", "getOrder",
      (ins "::mlir::Operation *":$op)>,
  ];
}

def Llama_ContractionUnitInterface : AttrInterface<"ContractionUnitInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    The instructions that multiply rows by a weight: `#cpu.fma`, `#cpu.dot_u8s8`, `#cpu.dot_bf16`,
    `#cpu.amx_bf16`, `#cuda.simt`, `#cuda.mma`. The methods give facts to verifiers and to `passes/Tile`; the
    code is an external model in `passes/CPU/Units` or `passes/CUDA/Units`.
  }];
  let methods = [
    InterfaceMethod<"The type of an element of the rows that it reads.",
      "::mlir::Type", "getRowsType">,
    InterfaceMethod<[{
      The one order (#llama.reduction_order) in which it sums a row of a weight of
      this format; null: it does not multiply that format.}],
      "::mlir::Attribute", "getOrder",
      (ins "::corellama::llama::FormatInterface":$format)>,
    InterfaceMethod<"Features that a target must have, in LLVM's names.",
      "::llvm::ArrayRef<::llvm::StringLiteral>", "getFeatures", (ins), "",
      "return {};">,
    InterfaceMethod<[{
      Whether `n` rows of a weight of this format are decoded once into a panel
      (`tile.panel`) on this target, where several tiles of `m` rows of x are
      multiplied by them.}],
      "bool", "usesPanels", (ins "::corellama::llama::FormatInterface":$format,
                                 "int64_t":$m, "int64_t":$n,
                                 "::corellama::llama::TargetInterface":$target),
      "", "return false;">,
    InterfaceMethod<[{
      Whether it needs the sums of blocks of x (`tile.block_sums`) for a weight of
      this format.}],
      "bool", "needsBlockSums", (ins "::corellama::llama::FormatInterface":$format),
      "", "return false;">,
  ];
}

def Llama_StrategyInterface : AttrInterface<"StrategyInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    How a kernel runs, as an attribute of the kernel: `#cpu.strategy`,
    `#cuda.strategy`. `passes/Tile` writes bodies from these answers and does not
    know the target.
  }];
  let methods = [
    InterfaceMethod<"The unit of the kernel's products.",
      "::corellama::llama::ContractionUnitInterface", "getUnit">,
    InterfaceMethod<"Rows of x in a tile.", "int64_t", "getM">,
    InterfaceMethod<"Rows of a weight, keys or columns in a tile.", "int64_t",
      "getN">,
    InterfaceMethod<[{
      Groups of 16 elements of a head that one tile of values may sum, where it
      has so many rows.}],
      "int64_t", "getValueGroups", (ins "int64_t":$rows)>,
    InterfaceMethod<[{
      The strategy of the same unit with the smallest tiles and nothing that is
      there for speed alone, whose bits are the same; null: there is none.}],
      "::mlir::Attribute", "getPlain", (ins), "", "return {};">,
  ];
}

def Llama_MemoryHandleInterface : OpInterface<"MemoryHandleInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    An op of a kernel's body whose result stands for memory that dispatches share: a
    buffer or the cache. What the users of the result do to it is in their effects, so
    that a schedule can be verified when kernels are code.
  }];
  let methods = [
    InterfaceMethod<"The buffer; null: the cache.",
                    "::mlir::FlatSymbolRefAttr", "getHandleBuffer">,
    InterfaceMethod<"The buffer's first byte in the workspace.",
                    "::mlir::IntegerAttr", "getHandleOffset">,
  ];
}

def Llama_PhaseOpInterface : OpInterface<"PhaseOpInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    The phases an op may stand in. `llama-verify-phase` denies what is not
    listed.
  }];
  let methods = [
    StaticInterfaceMethod<"The first phase and the last one.",
      "::corellama::llama::PhaseRange", "getPhases">,
  ];
}

#endif
