//===- CUDAKernel.h - a kernel while it becomes threads' code -------------===//
//
// The state of tile-to-vector-cuda while it writes a kernel's new function. The
// old function is read once, from top to bottom; scalars and control flow are
// copied, and each tile becomes this thread's fragment of it. Private to
// passes/CUDA.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_CUDAKERNEL_H
#define CORELLAMA_PASSES_CUDA_CUDAKERNEL_H

#include "dialects/Context/IR/ContextDialect.h"
#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CUDA/BlockBarriers.h"
#include "passes/CUDA/Fragments.h"
#include "passes/CUDA/WeightChunks.h"
#include "passes/Tile/IndexBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include <array>

namespace corellama::cuda {

class CUDAKernel : tile::IndexBuilder {
public:
  explicit CUDAKernel(mlir::func::FuncOp kernel);

  /// Replaces the old function by the new one. On failure an error has been
  /// reported.
  mlir::LogicalResult rewrite();

  /// The thread's fragment of a product of `#cuda.simt`, of `#cuda.mma_split`;
  /// null after an error.
  mlir::Value writeWarpContract(tile::ContractOp op);
  mlir::Value writeSplitContract(tile::ContractOp op);

private:
  friend class MmaContract;
  using Value = mlir::Value;
  template <typename T> using Vec = llvm::SmallVector<T>;
  /// New values by old ones.
  using NewValues = llvm::DenseMap<Value, Value>;
  /// What an op's result becomes; failure: an error has been reported.
  using MadeValue = mlir::FailureOr<Value>;

  /// A weight in memory: one region for each plane (rowmajor_split), or f32
  /// numbers.
  struct Weight {
    Value memory; // memref<?xi8, 1>; a vector's: memref<?xf32, 1>
    llama::WeightType type;
    /// Where `memory` begins: `at` bytes from `pointer`.
    Value pointer, at;
  };
  /// Rows of activations that a contraction reads.
  struct Rows {
    Value memory; // rows x stride, global or workgroup
    int64_t columns;
    /// Workgroup: the buffer's number for BlockBarriers; -1: global memory.
    int buffer = -1;
    /// Groups of 4 columns are permuted (swizzle), and the columns up to a
    /// multiple of kChunkColumns are zero.
    bool swizzled = false;
    /// The row as f16 (splitRow): 32-bit words of lines of 32 columns, each
    /// kLineWords apart, and kZeroWords of zeros after the last; else null.
    Value split = {};
    /// Whether the lines of a split row have sums.
    bool hasSums = false;
    int64_t lines() const;
  };
  /// Some rows of a weight, of which a lane reads chunks.
  struct WeightRows {
    Weight weight;
    Vec<Value> numbers;
    /// Where they begin in the first plane of quants, in bytes.
    Vec<Value> starts;
  };
  /// A chunk of each of these rows; scales and minima by chain, then by row.
  struct LoadedChunks {
    Vec<ChunkWords> words;
    Vec<Value> scales, minima;
  };
  struct Cache {
    Value keys, values; // memref<? x element, 1>
    /// layer * heads, or 0 where `keys` and `values` are the layer's own.
    Value firstHead;
    /// Of the cache's region: of all layers, or of one.
    int64_t heads;
    llama::CacheType type;
    llama::KVCacheStrides keyStrides, valueStrides;
  };

  /// The double buffer of products in tensor cores (Units/Mma.cpp): where rows,
  /// weight, its scales and minima are in workgroup memory, in bytes; -1 until
  /// one needs them.
  struct Stages {
    int64_t rows = -1, weight = -1, scales = -1, minima = -1;
    /// The stage where the next product begins: not the one that the last
    /// product may still read.
    int64_t next = 0;
  };

  /// Attention in tensor cores (Units/MmaAttention.cpp).
  struct TensorAttention {
    /// A tile of the query, as f16 twice, and the powers of two of its rows; a
    /// block's keys and its values. In workgroup memory, rows `width` apart.
    Value upper, lower, powers, keys, values;
    /// Elements of a row with those that fill it up.
    int64_t padded = 0;
    /// The loop over blocks of keys, with the next of them and the end.
    struct Next {
      mlir::scf::ForOp loop;
      Value number, to;
    } next;
  };

  // TileToVector.cpp: the walk over the old function.
  mlir::LogicalResult verifyStrategy();
  bool dependsOnKeys();
  Value isPart();
  mlir::LogicalResult writeBlock(mlir::Block &block);
  std::optional<Vec<Value>> writeBody(mlir::Block &body);
  mlir::LogicalResult writeOp(mlir::Operation *op);
  mlir::LogicalResult writeTileOp(mlir::Operation *op);
  mlir::LogicalResult writeFor(mlir::scf::ForOp op);
  mlir::LogicalResult writeIf(mlir::scf::IfOp op);
  mlir::LogicalResult writeElementwise(mlir::Operation *op);
  mlir::LogicalResult write(tile::WeightOp op);
  mlir::LogicalResult write(tile::CacheOp op);
  bool runsAtMostOnce(mlir::scf::ForOp op);
  bool isSpread(mlir::Type type) const;
  /// The new values of old ones.
  Value lookup(Value old);
  Vec<Value> lookup(mlir::ValueRange old);
  void bind(mlir::ValueRange old, mlir::ValueRange made);
  /// The type of this thread's share of a value.
  mlir::Type typeOf(mlir::Operation *op, mlir::Type old);
  mlir::FailureOr<Vec<mlir::Type>> resultTypesOf(mlir::Operation *op);

  // CUDAKernel.cpp: helpers. Indices are of type index.
  Value both(Value x, Value y); // of conditions; null: true
  Value constant(float value);
  Value i32(uint32_t value);
  Value isZero(Value number);
  Value zeros(mlir::Type type);
  mlir::VectorType floats(int64_t count);
  Value splat(Value scalar, int64_t count);
  Value fma(Value x, Value y, Value z); // of scalars or vectors
  Value element(Value vector, int64_t at);
  Value fromElements(llvm::ArrayRef<Value> scalars);
  Value field(context::Field which);
  mlir::MemRefType global(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  Value view(Value pointer, tile::IndexOperand byteOffset,
             mlir::MemRefType type);
  /// Workgroup memory for the lifetime of the kernel, at a multiple of 128
  /// bytes.
  Value allocate(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  int bufferOf(Value memory); // -1: not workgroup memory
  Value load(Value memory, mlir::ValueRange at);
  /// `count` neighbouring elements; `bytes` is their alignment.
  Value loadVector(Value memory, mlir::ValueRange at, int64_t count,
                   int64_t bytes);
  void storeVector(Value vector, Value memory, mlir::ValueRange at,
                   int64_t bytes);
  /// An array that the context points to.
  Value array(context::Field which, mlir::Type element);
  Value integerOf(context::Field list, Value row);
  Value positionOf(Value row);
  /// A loop that all threads run equally often; reported to the barriers.
  /// Another one (`fold`) is a thread's own: its accesses have been reported
  /// before.
  Vec<Value> loop(tile::IndexOperand from, tile::IndexOperand to, int64_t step,
                  mlir::ValueRange init,
                  llvm::function_ref<Vec<Value>(Value, mlir::ValueRange)> body);
  /// A branch that all threads take or none, reported to the barriers; null:
  /// always taken. `otherwise` is its value where it is not taken.
  Vec<Value> branch(Value condition, mlir::ValueRange otherwise,
                    llvm::function_ref<Vec<Value>()> body);
  /// `body` if the condition of this thread holds; null: always.
  void guarded(Value condition, llvm::function_ref<void()> body);
  /// The same with results; they are `otherwise` if the condition does not
  /// hold.
  Vec<Value> guardedValues(Value condition, mlir::ValueRange otherwise,
                           llvm::function_ref<Vec<Value>()> body);
  /// Items 0 to count; thread t takes items t, t + threads, ... ascending,
  /// `batch` of them at a time, so that as many loads are in flight.
  Vec<Value>
  rounds(int64_t count, int64_t batch, mlir::ValueRange init,
         llvm::function_ref<Vec<Value>(llvm::ArrayRef<Value>, mlir::ValueRange)>
             body);

  // TileFragments.cpp: the ops that depend on which elements a thread has.
  std::optional<Fragment> fragmentOf(mlir::Operation *op, mlir::Type type);
  /// Row (null: the tile's first) and column of an element inside its tile.
  Value rowOf(const Fragment &fragment, int64_t element);
  /// Of accumulators: the first or the second row of this thread.
  Value rowOfThread(int64_t which);
  Value columnOf(const Fragment &fragment, int64_t element);
  /// Whether this thread stores its elements; null: it does.
  Value isStored(const Fragment &fragment);
  /// A fragment made element by element, from each element's row and column in
  /// the tile.
  Value build(const Fragment &fragment,
              llvm::function_ref<Value(Value row, Value column)> make);
  /// One row, whose elements from column `first` on are made from their
  /// columns; zeros beyond `extent`.
  Value buildInside(const Fragment &fragment, Value first, int64_t extent,
                    llvm::function_ref<Value(Value column)> make);
  Touch touchOf(const Fragment &fragment);
  Value rowIn(Value first, Value offset);
  Value below(Value first, const Fragment &fragment, Value column,
              int64_t extent, Value limit);
  MadeValue write(tile::LoadOp op, const Fragment &fragment);
  mlir::LogicalResult write(tile::StoreOp op, const Fragment &fragment);
  mlir::LogicalResult write(tile::AppendOp op, const Fragment &fragment);
  MadeValue write(tile::RopeRowOp op, const Fragment &fragment);
  MadeValue write(tile::CausalMaskOp op);
  MadeValue write(tile::ColumnValuesOp op, const Fragment &fragment);
  MadeValue write(tile::BroadcastRowsOp op, const Fragment &fragment);
  MadeValue write(tile::SwapPairsOp op, const Fragment &fragment);
  MadeValue write(tile::DecodeOp op, const Fragment &fragment);

  // BlockRows.cpp: whole rows, and reductions over all threads.
  /// Rows in workgroup memory, which warps read 16 bytes a lane.
  Rows allocateRows(int64_t count, int64_t columns, Value readBy);
  Value swizzle(Value group);
  /// Powers of two that bring numbers of up to this size, as bits, to f16, and
  /// back; f16 that add up to such numbers.
  std::pair<Value, Value> powersFor(Value largest);
  std::pair<Value, Value> splitHalves(Value numbers);
  Value factorPlace(Value line);
  void splitRow(const Rows &target);
  void fillRows(
      const Rows &target, int64_t first, int64_t count, bool byFour,
      int64_t atOnce,
      llvm::function_ref<Value(Value row, Value column, int64_t count)> make);
  tile::StageOp stageBehind(tile::SumOp op);
  Value mapBody(mlir::Region &body, llvm::ArrayRef<Value> arguments);
  void write(tile::BufferRowsOp op);
  void write(tile::StageOp op);
  MadeValue write(tile::SumOp op);
  MadeValue write(tile::ReduceLanesOp op, const Fragment &fragment);
  Value reduceAccumulators(Value source, bool isMaximum);
  Value combine(Value x, Value y, bool isMaximum);
  Value reduceTree(Vec<Value> values, bool isMaximum);
  /// One value a lane, or a thread, reduced by the fixed tree; all of them have
  /// the result. A block reduces one value for each row.
  Value reduceWarp(Value value, bool isMaximum);
  Vec<Value> reduceBlock(llvm::ArrayRef<Value> mine, bool isMaximum);

  // WeightLoads.cpp
  /// Bytes from the weight's first byte to the plane's row, and from row to
  /// row.
  uint64_t planeOffset(const Weight &weight, unsigned plane, int64_t row);
  int64_t planeStride(const Weight &weight, unsigned plane);
  /// A plane as a memref<? x element, 1>.
  Value planeOf(const Weight &weight, unsigned plane, mlir::Type element);
  Value loadOfPlane(const Weight &weight, unsigned plane, mlir::Type element,
                    Value row, Value at);
  /// What the levels of a kind are made of, a number of each plane as it is in
  /// memory, and the product of the levels that they encode: apart, so that a
  /// loop can load before it waits.
  Vec<Value> loadLevels(const Weight &weight, llama::PlaneKind kind, Value row,
                        Value block);
  Value decodeLevels(const Weight &weight, llama::PlaneKind kind,
                     mlir::ValueRange fields, Value block);
  /// The scale or minimum of a row's block number `block` of
  /// format.getScaleBlock() columns, as f32.
  Value loadScale(const Weight &weight, Value row, Value block);
  Value loadMinimum(const Weight &weight, Value row, Value block);
  Value decodeValue(const Weight &weight, Value row, Value column);
  /// The rows `numbers` of a tile of `tile` rows; of those past the weight's
  /// last, which are not stored, the last.
  WeightRows rowsOfWeight(const Weight &weight, llvm::ArrayRef<Value> numbers,
                          int64_t tile);
  LoadedChunks loadChunks(const WeightRows &from, Value chunk);
  /// Chains of a chunk's sum: each scale has its own.
  static int64_t chainsOf(llama::FormatInterface format);

  // Prefetches.cpp: what a block will read of weights and cache, asked for
  // before anything else is done: of weights before it waits for earlier
  // launches, of the cache behind that.
  enum class Ahead { Weights, Cache };
  mlir::LogicalResult prefetch(Ahead what);
  /// What a later trip of a loop reads, whose induction variable is `iv`.
  mlir::LogicalResult prefetchAhead(mlir::scf::ForOp loop, Value iv, Value to);
  mlir::LogicalResult prefetchIn(mlir::Block &old, Ahead what);
  mlir::LogicalResult prefetchFor(mlir::scf::ForOp loop, Value iv, Value to);
  void prefetch(tile::ContractOp op);
  void prefetch(tile::SumValuesOp op);

  // Units/Simt.cpp
  Vec<Value> loadColumns(const Rows &x, Value row, Value from, int64_t width,
                         int64_t group);
  void keepInvariants();

  // ThreadAttention.cpp
  /// How the threads of a block share a block's keys, or their values: `lanes`
  /// lanes of a warp have chunks of `each` elements of one row, `loads` each.
  struct KeyShare {
    mlir::Type type;
    int64_t elements, lanes, each;
    /// Chunks of a thread in one row, and its rows.
    int64_t loads = 0, rounds = 0;
    /// The first element of the thread's first chunk, and its first row.
    Value part = {}, key = {};
    /// Rows that are read at once, and from a thread's row to its next.
    int64_t chains(int64_t threads) const { return threads / lanes; }
    int64_t roundsAtOnce() const;
    /// Whether some lane has an element beyond the last.
    bool isPadded() const { return lanes * each * loads != elements; }
  };
  Value toFloat(Value number);
  Value loadGroup(const Rows &from, Value row, Value column);
  KeyShare shareKeys(int64_t keys, int64_t elements, mlir::Type type,
                     int64_t lanes);
  std::optional<KeyShare> shareOf(tile::SumValuesOp op);
  Vec<Value> loadRows(const Cache &cache, Value memory,
                      const llama::KVCacheStrides &strides,
                      const KeyShare &share, Value head, Value place,
                      Value element, int64_t first, int64_t count);
  void loadAhead(tile::SumValuesOp op);
  Vec<Value> elementsOf(const KeyShare &share, Value words);
  Vec<Value> addAcross(Vec<Value> all, int64_t above, int64_t below);
  void eachRow(int64_t count, llvm::function_ref<void(Value)> body);
  /// The sums of values of the same block of keys.
  static Vec<tile::SumValuesOp> sumsBeside(tile::ScoreKeysOp op);
  MadeValue write(tile::ScoreKeysOp op, const Fragment &fragment);
  MadeValue write(tile::SumValuesOp op, const Fragment &fragment);

  // Units/MmaAttention.cpp
  static bool attendsInTensorCores(mlir::scf::ForOp loop);
  void splitQuery(tile::StageOp op);
  mlir::LogicalResult copyKeys(mlir::scf::ForOp loop, Value from, Value to);
  void copyKeys(tile::ScoreKeysOp op);
  void copyRows(const Cache &cache, Value memory,
                const llama::KVCacheStrides &strides, Value head, Value place,
                Value target);
  Vec<Value>
  multiply(int64_t end, int64_t columns,
           llvm::function_ref<std::array<Value, 2>(int64_t depth)> rows,
           llvm::function_ref<Value(int64_t depth, int64_t column)> load);
  Value scaled(llvm::ArrayRef<Value> sums, Value factors);
  MadeValue scoreInTensorCores(tile::ScoreKeysOp op, const Fragment &fragment);
  MadeValue sumInTensorCores(tile::SumValuesOp op, const Fragment &fragment);

  mlir::func::FuncOp source;
  StrategyAttr strategy;
  int64_t threads;
  BlockBarriers barriers;
  int64_t workgroupBytes = 0;
  Stages stages;
  TensorAttention tensorAttention;

  /// The new function's context and layer, and indices made once at its top:
  /// block, thread in the block, warp, lane.
  Value context, layer, block, thread, warp, lane;
  /// What an earlier launch wrote is read behind it.
  mlir::Operation *wait = nullptr;
  /// Made when it is first asked for, behind the wait.
  Value keyCount;
  /// Where weights are, as far as that has been read in the entry block.
  llvm::DenseMap<mlir::Operation *, Value> places;

  NewValues values;
  /// Old values that become several new ones, or a struct.
  llvm::DenseMap<Value, Weight> weights;
  llvm::DenseMap<Value, Rows> rows;
  llvm::DenseMap<Value, Cache> caches;
  /// What a stage reads, where a sum has read it before: a thread's columns,
  /// each with those of what is one a column.
  llvm::DenseMap<mlir::Operation *, Vec<Vec<Value>>> keptRows;
  /// Values of the cache that are on their way when an op sums them, as words.
  llvm::DenseMap<mlir::Operation *, Vec<Value>> loadedAhead;
  /// Numbers of workgroup buffers by their memory in the new function.
  llvm::DenseMap<Value, int> buffers;
};

/// Columns of a line of a split row (CUDAKernel::splitRow), and 32-bit words
/// from line to line: the columns as f16 twice, and what they share. The last
/// four words put lines that are read together into different banks.
inline constexpr int64_t kLineColumns = 32, kLineWords = 36;

/// Zeros behind the lines: 16 words as a lane reads them, from any of the 32
/// banks on, where the others are not.
inline constexpr int64_t kZeroWords = 48;

/// The bits of a float without its sign.
inline constexpr uint32_t kMagnitude = 0x7FFFFFFF;

/// Columns of the widest chunk of 16 bytes: 32 nibbles. Rows in workgroup
/// memory are zero up to a multiple of it, so that a chunk needs no guard.
inline constexpr int64_t kChunkColumns = 32;

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_CUDAKERNEL_H
