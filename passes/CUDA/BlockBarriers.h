//===- BlockBarriers.h - where the threads of a block must wait -----------===//
//
// Lowerings insert no barriers for buffers. While a kernel is written, its code
// reports which workgroup buffer it reads or writes next, and with which
// threads; when the kernel is complete, `plan` inserts a barrier exactly where
// a thread would read what another thread wrote, or overwrite what another
// thread still reads. Private to passes/CUDA.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_BLOCKBARRIERS_H
#define CORELLAMA_PASSES_CUDA_BLOCKBARRIERS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/SmallVector.h"
#include <memory>

namespace corellama::cuda {

/// Which thread touches an element of a buffer.
enum class Touch {
  /// Any thread may touch any element.
  Anyone,
  /// Thread t touches only columns t, t + threads, ...: accesses of this kind
  /// read only what the same thread wrote.
  OwnColumns,
};

class BlockBarriers {
public:
  explicit BlockBarriers(mlir::ImplicitLocOpBuilder &builder);

  /// A new buffer; no two overlap.
  int addBuffer() { return buffers++; }

  /// The code written from here on reads or writes the buffer. Called only
  /// where all threads of the block execute: outside of every condition that
  /// differs between threads. -1 is memory that no other thread of the block
  /// writes.
  void read(int buffer, Touch touch = Touch::Anyone);
  void write(int buffer, Touch touch = Touch::Anyone);
  /// An unconditional barrier, for code that orders more than buffers, such as
  /// asynchronous copies. Accesses before it need no other barrier.
  void barrier();

  /// The body of a loop that all threads run equally often; if `runs`, at least
  /// once. The builder is at the body's start, then at its end.
  void enterLoop(bool runs) { enter(Node::Kind::Loop, runs); }
  void leaveLoop() { leave(); }
  /// A branch that all threads take or none; the builder is in it.
  void enterBranch() { enter(Node::Kind::Branch, /*runs=*/false); }
  void enterElse();
  void leaveBranch() { leave(); }

  /// Writes the barriers into the finished kernel.
  void place();

private:
  struct Access {
    int buffer;
    bool isWrite;
    Touch touch;
    bool operator==(const Access &) const = default;
  };
  using Accesses = llvm::SmallVector<Access>;
  /// A place in a block that later insertions do not move.
  struct Place {
    mlir::Block *block = nullptr;
    mlir::Operation *after = nullptr; // null: the block's start
  };
  struct Node;
  using Nodes = llvm::SmallVector<std::unique_ptr<Node>>;
  /// The kernel as a tree of the nodes that matter to barriers.
  struct Node {
    enum class Kind { Accesses, Barrier, Loop, Branch } kind;
    /// The place for a barrier before the node.
    Place place;
    Accesses accesses;
    Nodes body, otherwise;
    /// The end of its body; of a loop, whether it runs at least once.
    Place end;
    bool runs = false;
  };
  struct State {
    /// The accesses since the last barrier, on any path.
    Accesses pending;
    /// The accesses before the first barrier, on any path, and whether a path
    /// without a barrier leads here.
    Accesses first;
    bool open = true;
    void settle();
  };

  Place here();
  /// Directly before the op whose region the builder is in.
  Place beforeRegion();
  void enter(Node::Kind kind, bool runs);
  void leave();
  Node &append(Node::Kind kind, Place place);
  void record(Access access);
  void insertAt(const Place &place);
  static bool conflict(const Accesses &pending, const Accesses &next);
  static void unite(Accesses &into, const Accesses &more);
  void visit(const Nodes &nodes, State &state, bool write);

  mlir::ImplicitLocOpBuilder &b;
  int buffers = 0;
  Nodes root;
  /// The lists of nodes being written, innermost last, with their parents.
  llvm::SmallVector<Nodes *> lists;
  llvm::SmallVector<Node *> owners;
};

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_BLOCKBARRIERS_H
