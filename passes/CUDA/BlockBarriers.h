//===- BlockBarriers.h - where the threads of a block must wait -----------===//
//
// Nobody writes a barrier by hand. A kernel says, while its code is written,
// which workgroup buffer is read or written next and by whom; when it is
// complete, `plan` puts a barrier exactly where a thread would read what
// another one wrote, or overwrite what another one still reads. Private to
// passes/CUDA.
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
  /// Thread t touches the columns t, t + threads, ... and no other: what it
  /// reads so is what it wrote so itself.
  OwnColumns,
};

class BlockBarriers {
public:
  explicit BlockBarriers(mlir::ImplicitLocOpBuilder &builder);

  /// A new buffer; no two overlap.
  int addBuffer() { return buffers++; }

  /// The code written from here on reads or writes the buffer. Called where all
  /// threads of the block are: outside of every condition that differs between
  /// threads (a warp's own loop counts as one).
  void read(int buffer, Touch touch = Touch::Anyone);
  void write(int buffer, Touch touch = Touch::Anyone);
  /// A barrier here, whatever was touched: for code that orders more than
  /// buffers, such as asynchronous copies. Accesses before it are settled.
  void barrier();

  /// The body of a loop that all threads run equally often, and at least once
  /// where it `runs`; the builder stands at the body's start, then at its end.
  void enterLoop(bool runs = false);
  void leaveLoop();
  /// A branch that all threads take or leave together; the builder stands in
  /// it.
  void enterBranch();
  void enterElse();
  void leaveBranch();
  /// A loop whose iterations warps run at their own pace; the builder stands in
  /// it. No barrier can be inside, so what it touches counts where it begins.
  void enterWarps();
  void leaveWarps();

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
  /// The kernel as barriers see it.
  struct Node {
    enum class Kind { Accesses, Barrier, Loop, Branch } kind;
    /// Where a barrier before it would stand.
    Place place;
    Accesses accesses;
    Nodes body, otherwise;
    /// Of a loop: the end of its body, and whether it runs at least once.
    Place end;
    bool runs = false;
  };
  struct State {
    /// What was touched since the last barrier, on any path.
    Accesses pending;
    /// What is touched before the first barrier, on any path, and whether a
    /// path without one leads here.
    Accesses first;
    bool open = true;
    void settle();
  };

  Place here();
  Node &append(Node::Kind kind, Place place);
  void record(Access access);
  void insertAt(const Place &place);
  static bool conflict(const Accesses &pending, const Accesses &next);
  static void unite(Accesses &into, const Accesses &more);
  void visit(const Nodes &nodes, State &state, bool write);

  mlir::ImplicitLocOpBuilder &b;
  int buffers = 0;
  Nodes root;
  /// The lists that are being written, innermost last, and whose they are.
  llvm::SmallVector<Nodes *> lists;
  llvm::SmallVector<Node *> owners;
  int warpsDepth = 0;
};

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_BLOCKBARRIERS_H
