#!/usr/bin/env python3
"""Golden data of a small ViT and a small DeiT-III, from the formulas of the papers in plain PyTorch and double precision.

ViT: Dosovitskiy et al., arXiv 2010.11929, equations 1 to 4. DeiT-III: Touvron et al., arXiv 2204.07118, section 3, with
LayerScale of Touvron et al., arXiv 2103.17239, equation 4; as timm implements it, the position embedding is added to the
patches before the class token is put in front. Names of parameters are timm's.

    apt-get install python3-torch python3-numpy
    python3 make_transformers.py data/models
"""

import json
import struct
import sys

import torch

WIDTH, DEPTH, HEADS, HIDDEN, PATCH, HEIGHT, COLUMNS, CLASSES, BATCH = 32, 2, 4, 128, 8, 24, 16, 5, 3
PATCHES = (HEIGHT // PATCH) * (COLUMNS // PATCH)


def parameters(layer_scale):
    """Names and shapes, in timm's order."""
    yield "cls_token", (1, 1, WIDTH)
    yield "pos_embed", (1, PATCHES + (0 if layer_scale else 1), WIDTH)
    yield "patch_embed.proj.weight", (WIDTH, 3, PATCH, PATCH)
    yield "patch_embed.proj.bias", (WIDTH,)
    for i in range(DEPTH):
        for part, rows, columns in (
            ("norm1", None, None),
            ("attn.qkv", 3 * WIDTH, WIDTH),
            ("attn.proj", WIDTH, WIDTH),
            ("ls1", None, None),
            ("norm2", None, None),
            ("mlp.fc1", HIDDEN, WIDTH),
            ("mlp.fc2", WIDTH, HIDDEN),
            ("ls2", None, None),
        ):
            if part.startswith("ls"):
                if layer_scale:
                    yield f"blocks.{i}.{part}.gamma", (WIDTH,)
                continue
            yield f"blocks.{i}.{part}.weight", (rows, columns) if rows else (WIDTH,)
            yield f"blocks.{i}.{part}.bias", (rows or WIDTH,)
    yield "norm.weight", (WIDTH,)
    yield "norm.bias", (WIDTH,)
    yield "head.weight", (CLASSES, WIDTH)
    yield "head.bias", (CLASSES,)


def start(name, shape):
    """Values of a size that leaves no part of the network idle; rounded to F32, which is what the file holds."""
    noise = torch.randn(shape, dtype=torch.float64)
    if name.endswith("gamma"):
        values = 0.5 + 0.25 * noise
    elif "norm" in name and name.endswith("weight"):
        values = 1 + 0.1 * noise
    elif len(shape) == 1:
        values = 0.1 * noise
    elif len(shape) == 3:
        values = 0.5 * noise
    else:
        values = noise / torch.tensor(shape[1:]).prod().sqrt()
    return values.float().double().requires_grad_()


def norm(x, p, name):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / (variance + 1e-6).sqrt() * p[f"{name}.weight"] + p[f"{name}.bias"]


def linear(x, p, name):
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def attention(x, p, name):
    batch, tokens, _ = x.shape
    q, k, v = linear(x, p, f"{name}.qkv").reshape(batch, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(-1, -2) / (WIDTH // HEADS) ** 0.5).exp()
    heads = weights / weights.sum(-1, keepdim=True) @ v
    return linear(heads.transpose(1, 2).reshape(batch, tokens, WIDTH), p, f"{name}.proj")


def mlp(x, p, name):
    hidden = linear(x, p, f"{name}.fc1")
    return linear(0.5 * hidden * (1 + torch.erf(hidden / 2**0.5)), p, f"{name}.fc2")


def forward(p, images, layer_scale):
    batch = len(images)
    # A patch is a row of 3 * 8 * 8 values, which the kernel of the convolution, as a matrix, maps to the width.
    patches = images.reshape(batch, 3, HEIGHT // PATCH, PATCH, COLUMNS // PATCH, PATCH)
    patches = patches.permute(0, 2, 4, 1, 3, 5).reshape(batch, PATCHES, 3 * PATCH * PATCH)
    x = patches @ p["patch_embed.proj.weight"].reshape(WIDTH, -1).T + p["patch_embed.proj.bias"]
    token = p["cls_token"].expand(batch, 1, WIDTH)
    if layer_scale:
        x = torch.cat([token, x + p["pos_embed"]], 1)
    else:
        x = torch.cat([token, x], 1) + p["pos_embed"]
    for i in range(DEPTH):
        block = f"blocks.{i}"
        branch = attention(norm(x, p, f"{block}.norm1"), p, f"{block}.attn")
        x = x + (p[f"{block}.ls1.gamma"] * branch if layer_scale else branch)
        branch = mlp(norm(x, p, f"{block}.norm2"), p, f"{block}.mlp")
        x = x + (p[f"{block}.ls2.gamma"] * branch if layer_scale else branch)
    return linear(norm(x[:, 0], p, "norm"), p, "head")


def write(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        values = tensor.detach().float().contiguous().flatten().tolist()
        begin = len(data)
        data += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def make(folder, name, layer_scale, seed):
    torch.manual_seed(seed)
    p = {key: start(key, shape) for key, shape in parameters(layer_scale)}
    images = torch.randn(BATCH, 3, HEIGHT, COLUMNS, dtype=torch.float64).float().double()
    targets = torch.rand(BATCH, CLASSES, dtype=torch.float64)
    targets = (targets / targets.sum(-1, keepdim=True)).float().double()
    logits = forward(p, images, layer_scale)
    loss = -(targets * torch.log_softmax(logits, -1)).sum(-1).mean()
    loss.backward()
    source = {"made by": "make_transformers.py", "torch": torch.__version__, "arithmetic": "float64"}
    write(f"{folder}/{name}.safetensors", p, source)
    results = {"images": images, "targets": targets, "logits": logits, "loss": loss.reshape(1)}
    results |= {f"grad.{key}": value.grad for key, value in p.items()}
    write(f"{folder}/{name}.io.safetensors", results, source)


if __name__ == "__main__":
    make(sys.argv[1], "vit_test", layer_scale=False, seed=1)
    make(sys.argv[1], "deit3_test", layer_scale=True, seed=2)
