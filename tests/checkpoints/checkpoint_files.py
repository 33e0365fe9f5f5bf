"""Files as trainers write them, and as nobody should."""

import json

import numpy as np

CODES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "complex64": "C64", "int64": "I64", "int32": "I32", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip


def noise(shape, seed=0, sigma=0.3):
    return sigma * np.random.default_rng(seed).standard_normal(shape)


def write_raw(path, header, body=b"", length=None):
    """A safetensors file with any header, as text or as an object, and any length before it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    path.write_bytes(size.to_bytes(8, "little") + text + body)
    return path


def write_safetensors(path, arrays, metadata=None):
    """Arrays, or triples of a code, a shape and bytes."""
    header, body = {"__metadata__": metadata or {"format": "pt"}}, b""
    for name, array in arrays.items():
        if isinstance(array, tuple):
            code, shape, data = array
        else:
            code, shape = CODES[array.dtype.name], array.shape
            data = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": code, "shape": list(shape),
                        "data_offsets": [len(body), len(body) + len(data)]}  # fmt: skip
        body += data
    return write_raw(path, header, body)
