"""llama.cpp's quantiser, from PyPI's build of it.

Input: rows of float32 and a format; output: the bytes that llama.cpp writes for them.
PyPI's `gguf` cannot quantise to most superblocks. A file of its own because only the
tests of checkpoints as llama.cpp makes them need that package.
"""

import ctypes
import importlib.util
from pathlib import Path

import gguf
import numpy as np


def load():
    """The shared library of the package `xllamacpp`, which has all of ggml in it."""
    package = importlib.util.find_spec("xllamacpp")
    if package is None:
        raise ImportError("no package 'xllamacpp'; pip install -r scripts/requirements.txt")
    [path] = Path(package.origin).parent.glob("*.so")
    quantize = ctypes.CDLL(str(path)).ggml_quantize_chunk
    # ggml.h: type, source, target, first element, rows, columns, importance matrix
    quantize.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
                         *[ctypes.c_int64] * 3, ctypes.c_void_p]
    quantize.restype = ctypes.c_size_t
    return quantize


def quantiser():
    """A function of (values, format) that gives rows of bytes and ggml's type."""
    quantize = load()

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
