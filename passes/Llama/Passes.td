//===- Passes.td - the passes on the graph, import to schedule ------------===//
//
// Each description has the same four facts in the same order (Phase, Needs,
// Leaves, Never) and then a function of a lit file that shows the pass at work.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PASSES
#define CORELLAMA_PASSES_LLAMA_PASSES

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// specialize
//===----------------------------------------------------------------------===//

def LlamaSpecializeForms : Pass<"llama-specialize-forms", "::mlir::ModuleOp"> {
  let summary = "a form for each bound on the rows of a call, from one graph";
  let description = [{
    Phase: specialize.
    Needs: `llama.model` with the one entry of import, whose functions take any
    number of rows.
    Leaves: an entry for each number of `rows`, which ascend and are the most
    rows of a call. An entry has each function again: for one row with static
    extents (`@X.decode`), else with extents that stay dynamic and the bound on
    the function as `llama.rows` (`@X.rows4`, and `@X.prefill` the largest). The
    head has two such forms, of one row and of the 8 rows that the runtime asks for
    at once at most, because a call of many rows mostly wants the logits of one.
    The functions of import are gone.
    Never: changes an op; only first extents of tensor types.

    EXAMPLE test/passes/Llama/llama-specialize-forms.mlir @layer.1
  }];
  let options = [
    ListOption<"rows", "rows", "int64_t",
               "the most rows of a call, for each form; 1,512 if none is given">];
}

def LlamaSetCacheType : Pass<"llama-set-cache-type", "::mlir::ModuleOp"> {
  let summary = "the element types of the KV cache";
  let description = [{
    Phase: specialize.
    Needs: nothing; import writes f32.
    Leaves: every `!llama.cache` with elements of `type`: one for keys and values,
    or two, keys first. Refused: q8_0 where heads are no whole blocks.
    Never: touches a type that is not part of a cache.

    EXAMPLE test/passes/Llama/llama-set-cache-type.mlir @append_and_attend
  }];
  let options = [
    Option<"type", "type", "std::string", "\"f16\"",
           "f32, f16, bf16 or q8_0, or KEYS,VALUES">];
}

def LlamaSetCacheRings : Pass<"llama-set-cache-rings", "::mlir::ModuleOp"> {
  let summary = "layers that see a window keep no more positions than it needs";
  let description = [{
    Phase: specialize.
    Needs: the forms of the model, whose bounds say how many rows a call has at
    most.
    Leaves: a layer function whose attention has a window of W positions with a
    cache of type `ring R`, in all forms alike: the smallest multiple of 256 from
    W + rows - 1 on, rows being those of the largest form. A call appends its rows
    before they attend, so the first row's window and the last row have to be there
    at once. Where R would be as large as the context, nothing changes.
    Never: changes an op; only types of caches.

    EXAMPLE test/passes/Llama/llama-set-cache-rings.mlir @windowed
  }];
}

def LlamaSetNumerics : Pass<"llama-set-numerics", "::mlir::ModuleOp"> {
  let summary = "round the rows that a product reads, where its unit wants it";
  let description = [{
    Phase: specialize.
    Needs: linear ops on float32 rows.
    Leaves: each value that a linear reads in rounded form goes through one
    `llama.quantize`, which all its readers share. With `activations=auto` the
    planner of `llama.target` says which linears and to what: on a CPU those with
    a block-quantised weight, to q8b32, and where it multiplies bf16 those with a
    BF16 weight of an even number of columns, to bf16; on a GPU those that its
    tensor cores compute, to f16. With `activations=bf16` as on such a CPU, and with
    `activations=amx`, whose products are summed in another order; with
    `activations=q8` as on one that does not multiply bf16, and with
    `activations=x24` the same, but to x24b32; linears with F32 and
    F16 weights keep float32 rows. With `activations=f32` everything as it was.
    Never: rounds what is rounded already, or rounds for a reader that is no
    linear.

    EXAMPLE test/passes/Llama/llama-set-numerics.mlir @readers_share_one_rounding
  }];
  let options = [Option<"activations", "activations", "std::string", "\"auto\"",
                        "auto, f32, q8, x24, bf16 or amx">];
  let dependentDialects = ["::corellama::llama::LlamaDialect"];
}

//===----------------------------------------------------------------------===//
// fuse
//===----------------------------------------------------------------------===//

def LlamaSplitAttention : Pass<"llama-split-attention", "::mlir::ModuleOp"> {
  let summary = "blocks of keys; where rows are few, one part a block";
  let description = [{
    Phase: fuse.
    Needs: `llama.target` with a table of strategies, which says how many keys a
    block has.
    Leaves: attention of few rows (those of one register tile, which the table
    says) as `attention_part` and `attention_merge`, so that the blocks of keys are
    parts of a kernel; attention of more rows whole, with `keys` set: its parts are
    tiles of rows times heads.
    Never: changes which keys are attended to.

    EXAMPLE test/passes/Llama/llama-split-attention.mlir @one_row_is_split
  }];
  let dependentDialects = ["::corellama::llama::LlamaDialect"];
}

def LlamaFuseKernels : Pass<"llama-fuse-kernels", "::mlir::ModuleOp"> {
  let summary = "gather ops into kernels";
  let description = [{
    Phase: fuse.
    Needs: functions of one block; `llama.target` with a table of strategies,
    which says how many rows are few (without a target: one).
    Leaves: each op of the graph in exactly one `llama.kernel`, with the weight
    references that it reads. Linears of the same rows are one kernel; rope,
    swiglu, silu, mul, add and kv_append join the linears whose results they
    read (epilogue); on few rows, norm, quantize and attention_merge (of blocks
    of 256 keys: shorter ones are merged by a kernel of their own) join their
    only reader (prologue), if it is read as rows of linears and not otherwise;
    on more rows, norm is a kernel of its own and quantize joins its producer.
    An LM head of several rows begins with a kernel "wanted", which gathers them.
    What joins nothing is a kernel alone, what nothing reads is dropped. A layer
    whose last kernel would overwrite rows that are still read ends in a kernel
    "carry", which copies. The name of a kernel is its role, derived from what is
    in it.
    Never: makes a kernel with more than three results, or two kernels that wait
    for each other, or moves a read of the cache across a write.

    EXAMPLE test/passes/Llama/llama-fuse-kernels.mlir @a_decode_layer_is_five_kernels
  }];
  let dependentDialects = ["::corellama::llama::LlamaDialect"];
}

//===----------------------------------------------------------------------===//
// plan
//===----------------------------------------------------------------------===//

def LlamaPlanLayouts : Pass<"llama-plan-layouts", "::mlir::ModuleOp"> {
  let summary = "the order of bytes of weights and cache";
  let description = [{
    Phase: plan.
    Needs: `llama.target` with a table of strategies.
    Leaves: `layouts` on each `llama.weight`, and one `llama.cache_layout` where
    a function takes a cache.
    Never: changes a format.

    EXAMPLE test/passes/Llama/llama-plan-layouts.mlir @layer
  }];
  let dependentDialects = ["::corellama::llama::LlamaDialect"];
}

def LlamaPlanKernels : Pass<"llama-plan-kernels", "::mlir::ModuleOp"> {
  let summary = "how each kernel runs, how it is partitioned, in which order it sums";
  let description = [{
    Phase: plan.
    Needs: kernels; `llama.target` with a table of strategies.
    Leaves: `strategy` and `partition` on each kernel, `order` on each linear,
    rms_norm, attention and attention_part. `override="qkv=#cpu.strategy<unit = #cpu.fma, m = 4, n = 16>;o=..."`
    gives kernels of a name another strategy, to which the target's partition is fitted;
    `strategy=plain` gives each kernel the smallest tiles of its unit. The bits are the
    same, so plain code is what tuned code is compared with.
    All forms sum a weight in the same order where its rows are float32: another
    order is an error.
    Never: decides anything itself: the table is the target's.

    EXAMPLE test/passes/Llama/llama-plan-kernels.mlir @one_row
  }];
  let options = [Option<"strategy", "strategy", "std::string", "\"tuned\"",
                        "tuned: as the target's table says; plain: the smallest tiles">,
                 Option<"overrides", "override", "std::string", "\"\"",
                        "strategies by kernel name: NAME=ATTRIBUTE;...">];
  let dependentDialects = ["::corellama::llama::LlamaDialect"];
}

//===----------------------------------------------------------------------===//
// schedule
//===----------------------------------------------------------------------===//

def LlamaOutlineKernels : Pass<"llama-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "kernels as functions, entries as steps";
  let description = [{
    Phase: schedule.
    Needs: entries of bounded rows with all ops in kernels that have strategy
    and partition; `llama.config` where attention is split.
    Leaves: each kernel as `func.func private @KERNEL.STEP[.N]` from `buffer_read`
    and `input` to `buffer_write`, equal ones as one function; a `llama.buffer` for
    each value between kernels, its type the capacity; a `llama.step` of each
    entry, which loops over the layers, and of each head; layers of several
    functions pick their callee by a table. The rows that go from layer to layer, to the
    next step and to the LM head share the buffer @x; the LM head leaves @logits.
    Never: changes what a kernel computes, or writes a buffer that the same kernel
    reads.

    EXAMPLE test/passes/Llama/llama-outline-kernels.mlir @layer.decode
  }];
  let dependentDialects = [
    "::corellama::llama::LlamaDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect"];
}

def LlamaInsertBarriers : Pass<"llama-insert-barriers", "::mlir::ModuleOp"> {
  let summary = "barriers between dispatches that depend on each other";
  let description = [{
    Phase: schedule.
    Needs: steps of dispatches.
    Leaves: a `llama.barrier` in front of each dispatch that depends on a
    dispatch since the last barrier, a loop's previous iteration included, and
    no barrier that could be removed. Earlier barriers are replaced. None stands
    at the end: a step ends with an implicit one.
    Never: moves a dispatch.

    EXAMPLE test/passes/Llama/llama-insert-barriers.mlir @producer_then_consumer
  }];
  let dependentDialects = ["::corellama::llama::LlamaDialect"];
}

def LlamaAssignBuffers : Pass<"llama-assign-buffers", "::mlir::ModuleOp"> {
  let summary = "byte offsets of buffers in the workspace";
  let description = [{
    Phase: schedule.
    Needs: steps with their barriers.
    Leaves: `at` on each `llama.buffer`, `buffer_read` and `buffer_write`: multiples of
    64. Buffers share bytes if their values are never live at once in any step; a
    value that one step leaves to another shares its bytes with nothing.
    Never: lets two buffers overlap that dispatches without a barrier between them
    use.

    EXAMPLE test/passes/Llama/llama-assign-buffers.mlir @a_to_b
  }];
}

def LlamaResolveWeightReferences : Pass<"llama-resolve-weight-references", "::mlir::ModuleOp"> {
  let summary = "layout and table index on each reference to a weight";
  let description = [{
    Phase: schedule.
    Needs: layouts on weights.
    Leaves: `in LAYOUT index N` on each `llama.weight_ref`, so that later passes
    on functions never read a declaration.
    Never: changes a declaration.

    EXAMPLE test/passes/Llama/llama-resolve-weight-references.mlir @references
  }];
}

def LlamaVerifySchedule : Pass<"llama-verify-schedule", "::mlir::ModuleOp"> {
  let summary = "prove that no two dispatches race and no buffer is overwritten too early";
  let description = [{
    Phase: schedule, and tile, whose kernels access memory in place of buffers.
    Needs: buffers with offsets.
    Leaves: the module as it is, or errors: two dispatches that touch the same bytes,
    one of them writing, without a barrier between them (a loop's previous iteration
    included; the cache is one resource), once for each dispatch that needs one right
    before it; a barrier without which no two dispatches race; a kernel that writes
    bytes it reads; a buffer that is read after another buffer overwrote its bytes; a
    reference whose offset is not its buffer's.
    Never: relies on the pass that inserted the barriers.

    EXAMPLE test/passes/Llama/llama-verify-schedule.mlir @a
  }];
}

//===----------------------------------------------------------------------===//
// every phase
//===----------------------------------------------------------------------===//

def LlamaVerifyPhase : Pass<"llama-verify-phase", "::mlir::ModuleOp"> {
  let summary = "what may be in a phase, and what must be";
  let description = [{
    Phase: every one; `phase` says which.
    Needs: nothing.
    Leaves: the module as it is, or errors: an op that the phase does not allow
    (ops that are not listed are denied; the message names the pass that should
    have removed the op), a decision of a later phase, or a missing decision of
    this one.
    Never: reads `llama.phase`, which belongs to the driver.

    EXAMPLE test/passes/Llama/llama-verify-phase.mlir @graph
  }];
  let options = [Option<"phase", "phase", "std::string", "\"\"",
                        "import, specialize, fuse, plan, schedule, tile, vector or llvm">];
}

//===----------------------------------------------------------------------===//
// Beside the phases
//===----------------------------------------------------------------------===//

def LlamaCountOperations : Pass<"llama-count-operations", "::mlir::ModuleOp"> {
  let summary = "what a call of each function computes, reads and writes";
  let description = [{
    Phase: import.
    Needs: functions of ops of the graph, or of linalg on static shapes.
    Leaves: `llama.operations` on each function: exact numbers of multiplications,
    additions (and subtractions), divisions, calls of exp, sqrt, sine and cosine,
    and bytes that are read and written, each op reading each of its operands once.
    Dynamic rows are `rows`, and the first row is at `position`: of keys a row sees
    those up to its own, or of these the last ones that a window has. Comparisons and selections are not counted, nor is what
    rounds rows.
    Never: changes an op.

    EXAMPLE test/passes/Llama/llama-count-operations.mlir @attend
  }];
  let options = [
    Option<"rows", "rows", "int64_t", "1", "rows of a call">,
    Option<"position", "position", "int64_t", "0", "the position of the first row">];
}

#endif
