"""Writes a model folder of deit_tiny_patch16_224 with random weights, for measurements that do not depend on their values."""
import array
import json
import pathlib
import random
import struct
import sys

DIM, DEPTH, HEADS, PATCH, SIDE, CLASSES = 192, 12, 3, 16, 224, 1000


def shapes():
    yield "cls_token", [1, 1, DIM]
    yield "pos_embed", [1, (SIDE // PATCH) ** 2 + 1, DIM]
    yield "patch_embed.proj.weight", [DIM, 3, PATCH, PATCH]
    yield "patch_embed.proj.bias", [DIM]
    for i in range(DEPTH):
        for name, shape in (("norm1", [DIM]), ("attn.qkv", [3 * DIM, DIM]), ("attn.proj", [DIM, DIM]), ("norm2", [DIM]),
                            ("mlp.fc1", [4 * DIM, DIM]), ("mlp.fc2", [DIM, 4 * DIM])):
            yield f"blocks.{i}.{name}.weight", shape
            yield f"blocks.{i}.{name}.bias", shape[:1]
    yield "norm.weight", [DIM]
    yield "norm.bias", [DIM]
    yield "head.weight", [CLASSES, DIM]
    yield "head.bias", [CLASSES]


def main(folder):
    folder.mkdir(parents=True)
    random.seed(0)
    header, data = {}, array.array("f")
    for name, shape in shapes():
        begin, count = 4 * len(data), 1
        for size in shape:
            count *= size
        data.extend(random.uniform(-0.02, 0.02) for _ in range(count))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, 4 * len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data.tobytes())
    config = {"architecture": "deit", "embed_dim": DIM, "depth": DEPTH, "num_heads": HEADS, "patch_size": PATCH, "mlp_ratio": 4, "distilled": False,
              "layer_norm_epsilon": 1e-6, "input_size": SIDE, "num_classes": CLASSES}
    preprocess = {"input_size": SIDE, "crop_ratio": 0.875, "interpolation": "bicubic", "mean": [0.485, 0.456, 0.406],
                  "standard_deviation": [0.229, 0.224, 0.225]}
    (folder / "config.json").write_text(json.dumps({"config": config, "labels": [f"class {i}" for i in range(CLASSES)], "preprocess": preprocess}))


main(pathlib.Path(sys.argv[1]))
