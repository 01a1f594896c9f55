"""Writes ggml-blocks.json: quantised blocks and their values by the `gguf` package (pip), which llama.cpp's
project publishes. Usage: python make_ggml_blocks.py > ggml-blocks.json"""

import base64
import importlib.metadata
import json

import numpy
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

NAMES = "F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K Q5_K Q6_K".split()
# Byte positions of the float16 scales in a block; the other bytes may be anything.
SCALES = {"Q4_1": [0, 2], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}

random = numpy.random.default_rng(7)


def encode(array):
    return base64.b64encode(array.tobytes()).decode()


def blocks(name):
    elements, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    count = max(1, 64 // elements)
    if elements == 1:
        values = random.standard_normal(count).astype(numpy.float32)
        if name == "BF16":
            return (values.view(numpy.uint32) >> 16).astype(numpy.uint16).view(numpy.uint8)
        return values.astype(numpy.float16 if name == "F16" else numpy.float32).view(numpy.uint8)
    block = random.integers(0, 256, (count, size), dtype=numpy.uint8)
    for at in SCALES.get(name, [0]):
        scale = (random.standard_normal(count) * 0.02).astype(numpy.float16)
        block[:, at : at + 2] = scale.reshape(-1, 1).view(numpy.uint8)
    return block.reshape(-1)


cases = []
for name in NAMES:
    data = blocks(name)
    values = dequantize(data, GGMLQuantizationType[name]).astype(numpy.float32)
    cases.append({"type": name, "blocks": encode(data), "float32": encode(values)})
version = importlib.metadata.version("gguf")
print(json.dumps({"madeBy": f"make_ggml_blocks.py with gguf {version}", "cases": cases}, indent=1))
