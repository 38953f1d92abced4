//===- BlockBarriers.cpp - where the threads of a block must wait ---------===//
//
// Barriers are placed once, over the whole kernel, because whether one is
// needed depends on later accesses: the end of a loop's body is followed by its
// beginning.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/BlockBarriers.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace corellama::cuda;

BlockBarriers::BlockBarriers(ImplicitLocOpBuilder &builder) : b(builder) {
  lists.push_back(&root);
}

//===----------------------------------------------------------------------===//
// While the kernel is written
//===----------------------------------------------------------------------===//

BlockBarriers::Place BlockBarriers::here() {
  Block *block = b.getInsertionBlock();
  auto at = b.getInsertionPoint();
  return {block, at == block->begin() ? nullptr : &*std::prev(at)};
}

BlockBarriers::Node &BlockBarriers::append(Node::Kind kind, Place place) {
  lists.back()->push_back(std::make_unique<Node>());
  Node &node = *lists.back()->back();
  node.kind = kind;
  node.place = place;
  return node;
}

void BlockBarriers::record(Access access) {
  if (access.buffer < 0)
    return;
  append(Node::Kind::Accesses, here()).accesses.push_back(access);
}

void BlockBarriers::read(int buffer, Touch touch) {
  record({buffer, /*isWrite=*/false, touch});
}

void BlockBarriers::write(int buffer, Touch touch) {
  record({buffer, /*isWrite=*/true, touch});
}

void BlockBarriers::barrier() {
  append(Node::Kind::Barrier, here());
  BarrierOp::create(b);
}

BlockBarriers::Place BlockBarriers::beforeRegion() {
  Operation *op = b.getInsertionBlock()->getParentOp();
  return {op->getBlock(), op->getPrevNode()};
}

void BlockBarriers::enter(Node::Kind kind, bool runs) {
  Node &node = append(kind, beforeRegion());
  node.runs = runs;
  owners.push_back(&node);
  lists.push_back(&node.body);
}

void BlockBarriers::leave() {
  owners.back()->end = here();
  owners.pop_back();
  lists.pop_back();
}

void BlockBarriers::enterElse() { lists.back() = &owners.back()->otherwise; }

//===----------------------------------------------------------------------===//
// When it is complete
//===----------------------------------------------------------------------===//

bool BlockBarriers::conflict(const Accesses &pending, const Accesses &next) {
  return llvm::any_of(pending, [&](const Access &last) {
    return llvm::any_of(next, [&](const Access &access) {
      return last.buffer == access.buffer && (last.isWrite || access.isWrite) &&
             (last.touch == Touch::Anyone || access.touch == Touch::Anyone);
    });
  });
}

void BlockBarriers::unite(Accesses &into, const Accesses &more) {
  for (const Access &access : more)
    if (!llvm::is_contained(into, access))
      into.push_back(access);
}

void BlockBarriers::insertAt(const Place &place) {
  OpBuilder::InsertionGuard guard(b);
  if (place.after)
    b.setInsertionPointAfter(place.after);
  else
    b.setInsertionPointToStart(place.block);
  BarrierOp::create(b);
}

void BlockBarriers::State::settle() {
  pending.clear();
  open = false;
}

void BlockBarriers::visit(const Nodes &nodes, State &state, bool write) {
  auto need = [&](const Place &place) {
    if (write)
      insertAt(place);
    state.settle();
  };
  for (const std::unique_ptr<Node> &node : nodes) {
    switch (node->kind) {
    case Node::Kind::Accesses:
      if (conflict(state.pending, node->accesses))
        need(node->place);
      if (state.open)
        unite(state.first, node->accesses);
      unite(state.pending, node->accesses);
      break;
    case Node::Kind::Barrier:
      state.settle();
      break;
    case Node::Kind::Loop: {
      // The accesses of the body before its first barrier may conflict with
      // accesses before the loop: one barrier there instead of one an
      // iteration.
      State alone;
      visit(node->body, alone, /*write=*/false);
      if (conflict(state.pending, alone.first))
        need(node->place);
      State inner;
      inner.pending = state.pending;
      visit(node->body, inner, write);
      // They may also conflict with the end of the previous iteration.
      if (conflict(inner.pending, inner.first)) {
        if (write)
          insertAt(node->end);
        inner.settle();
      }
      if (state.open)
        unite(state.first, inner.first);
      if (node->runs) {
        state.pending = inner.pending;
        state.open &= inner.open;
      } else {
        unite(state.pending, inner.pending);
      }
      break;
    }
    case Node::Kind::Branch: {
      State otherwise = state;
      visit(node->body, state, write);
      visit(node->otherwise, otherwise, write);
      unite(state.pending, otherwise.pending);
      unite(state.first, otherwise.first);
      state.open |= otherwise.open;
      break;
    }
    }
  }
}

void BlockBarriers::place() {
  State state;
  visit(root, state, /*write=*/true);
}
