"""llama.cpp's quantiser and its logits, from PyPI's build of it.

Input: rows of float32 and a format; output: the bytes that llama.cpp writes for them.
PyPI's `gguf` cannot quantise to most superblocks. Or a checkpoint and ids; output: the
logits after each. A file of its own because only this needs that package.
"""

import ctypes
import importlib.util
from pathlib import Path

import gguf
import numpy as np


def load():
    """The shared library of the package `xllamacpp`, which has all of llama.cpp in it."""
    package = importlib.util.find_spec("xllamacpp")
    if package is None:
        raise ImportError("no package 'xllamacpp'; pip install -r scripts/requirements.txt")
    [path] = Path(package.origin).parent.glob("*.so")
    return ctypes.CDLL(str(path))


def quantiser():
    """A function of (values, format) that gives rows of bytes and ggml's type."""
    quantize = load().ggml_quantize_chunk
    # ggml.h: type, source, target, first element, rows, columns, importance matrix
    quantize.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
                         *[ctypes.c_int64] * 3, ctypes.c_void_p]
    quantize.restype = ctypes.c_size_t

    def pack(values, form):
        kind = gguf.GGMLQuantizationType[form]
        block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        source = np.ascontiguousarray(values, np.float32)
        rows, columns = source.shape
        target = np.zeros((rows, columns // block * block_bytes), np.uint8)
        written = quantize(int(kind), source.ctypes.data, target.ctypes.data, 0, rows,
                           columns, None)
        if written != target.nbytes:
            raise ValueError(f"llama.cpp wrote {written} bytes of {form}, expected "
                             f"{target.nbytes}")
        return target, kind
    return pack


class Batch(ctypes.Structure):
    """llama_batch of llama.h."""
    _fields_ = [("count", ctypes.c_int32), ("token", ctypes.POINTER(ctypes.c_int32)),
                ("embedding", ctypes.c_void_p), ("position", ctypes.POINTER(ctypes.c_int32)),
                ("sequences", ctypes.POINTER(ctypes.c_int32)),
                ("sequence", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
                ("wanted", ctypes.POINTER(ctypes.c_int8))]


class ModelParameters(ctypes.Structure):
    """llama_model_params: passed on as llama.cpp makes them, larger than they are."""
    _fields_ = [("opaque", ctypes.c_byte * 512)]


class ContextParameters(ctypes.Structure):
    """llama_context_params: the fields that are set here."""
    _fields_ = [("context", ctypes.c_uint32), ("batch", ctypes.c_uint32),
                ("others", ctypes.c_byte * 96), ("keys", ctypes.c_int32),
                ("values", ctypes.c_int32), ("opaque", ctypes.c_byte * 400)]


LOG_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


class Model:
    """A checkpoint in llama.cpp, with its defaults but for the type of the cache."""

    def __init__(self, path, context, cache="F16"):
        self.lib = lib = load()
        # A callback that Python frees is called all the same.
        self.quiet = LOG_CALLBACK(lambda level, text, data: None)
        lib.llama_log_set(self.quiet, None)
        lib.llama_model_default_params.restype = ModelParameters
        lib.llama_context_default_params.restype = ContextParameters
        lib.llama_model_load_from_file.argtypes = [ctypes.c_char_p, ModelParameters]
        lib.llama_init_from_model.argtypes = [ctypes.c_void_p, ContextParameters]
        lib.llama_batch_init.restype = Batch
        lib.llama_decode.argtypes = [ctypes.c_void_p, Batch]
        lib.llama_memory_clear.argtypes = [ctypes.c_void_p, ctypes.c_bool]
        lib.llama_get_logits_ith.argtypes = [ctypes.c_void_p, ctypes.c_int32]
        lib.llama_get_logits_ith.restype = ctypes.POINTER(ctypes.c_float)
        for name in ("load_from_file", "get_vocab"):
            getattr(lib, f"llama_model_{name}").restype = ctypes.c_void_p
        for name in ("init_from_model", "get_memory"):
            getattr(lib, f"llama_{name}").restype = ctypes.c_void_p
        for name in ("llama_model_get_vocab", "llama_vocab_n_tokens", "llama_get_memory"):
            getattr(lib, name).argtypes = [ctypes.c_void_p]
        lib.llama_backend_init()
        model = lib.llama_model_load_from_file(str(path).encode(),
                                               lib.llama_model_default_params())
        if not model:
            raise ValueError(f"{path}: llama.cpp does not load it")
        parameters = lib.llama_context_default_params()
        # Its default says whether the fields are where we believe them.
        f16 = int(gguf.GGMLQuantizationType.F16)
        if (parameters.keys, parameters.values) != (f16, f16):
            raise ValueError("llama_context_params has its cache types elsewhere in this "
                             "version of llama.cpp; change ContextParameters")
        parameters.keys = parameters.values = int(gguf.GGMLQuantizationType[cache])
        parameters.context = parameters.batch = context
        self.state = lib.llama_init_from_model(model, parameters)
        if not self.state:
            raise ValueError(f"{path}: llama.cpp has no context of {context} tokens")
        self.vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
        self.batch = lib.llama_batch_init(context, 0, 1)

    def logits(self, ids, first=0):
        """The logits after each of `ids` from `first` on, as rows, from an empty cache."""
        self.lib.llama_memory_clear(self.lib.llama_get_memory(self.state), True)
        batch = self.batch
        batch.count = len(ids)
        for i, token in enumerate(ids):
            batch.token[i], batch.position[i] = token, i
            batch.sequences[i], batch.sequence[i][0] = 1, 0
            batch.wanted[i] = i >= first
        if self.lib.llama_decode(self.state, batch) != 0:
            raise ValueError(f"llama.cpp cannot decode {len(ids)} tokens")
        return np.stack([np.ctypeslib.as_array(self.lib.llama_get_logits_ith(self.state, i),
                                               [self.vocabulary]).copy()
                         for i in range(first, len(ids))])
