"""DeiT in PyTorch: the peer that bench/Experiments/peers and bench/gpu measure ours against. It needs torch 1.13 or later; the models are
timm's where timm is installed, and the same in plain PyTorch elsewhere.

    torch_peer.py measure [options]     prints a row of JSON for each model, task, precision and batch; --output FILE keeps them

It times the same as deit bench infer and deit bench train: the forward pass, or forward, soft-target cross-entropy, backward and AdamW
with drop-path 0.1, on inputs that lie on the device. On CUDA torch.matmul and a copy are timed too, on a
processor torch.matmul with --products. FILE is read by deit bench compare.

On a processor OpenBLAS has threads of its own, and its products take all cores whatever --threads says: OPENBLAS_NUM_THREADS must be the
same number. Without MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_ and MALLOC_TOP_PAD_ memory goes back to the system after each step, and
page faults bound it. bench/Experiments/peers sets all of these, which must be done before the process begins.
"""
import argparse
import itertools
import json
import os
import platform
import re
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

try:
    import timm
except ImportError:
    timm = None

# Width and heads; 12 blocks of patches of 16 pixels each, 224 pixels, 1000 classes.
MODELS = {"deit_tiny_patch16_224": (192, 3), "deit_small_patch16_224": (384, 6), "deit_base_patch16_224": (768, 12)}
DEPTH, SIZE, PATCH, CLASSES, DROP_PATH = 12, 224, 16, 1000, 0.1
PRODUCTS = {"qkv": (3, 1), "proj": (1, 1), "fc1": (4, 1), "fc2": (1, 4)}  # N and K in widths
FACTORS = {"fp32": torch.float32, "tf32": torch.float32, "amp-fp16": torch.float16, "amp-bf16": torch.bfloat16}
AUTOCAST = {"amp-fp16": torch.float16, "amp-bf16": torch.bfloat16}
FUSED_ATTENTION = hasattr(F, "scaled_dot_product_attention")  # torch 2.0


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        if FUSED_ATTENTION:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = (q * self.scale @ k.transpose(-2, -1)).softmax(-1) @ v
        return self.proj(y.transpose(1, 2).reshape(batch, tokens, dim))


def drop_path(x, rate, training):
    if not training or rate == 0:
        return x
    keep = 1 - rate
    return x * (torch.rand(x.shape[0], 1, 1, device=x.device, dtype=x.dtype) < keep).to(x.dtype).div_(keep)


class Block(nn.Module):
    def __init__(self, dim, heads, rate):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(dim, eps=1e-6), Attention(dim, heads)
        self.norm2, self.fc1, self.fc2 = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.rate = rate

    def forward(self, x):
        x = x + drop_path(self.attention(self.norm1(x)), self.rate, self.training)
        return x + drop_path(self.fc2(F.gelu(self.fc1(self.norm2(x)))), self.rate, self.training)


class Deit(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        patches = (SIZE // PATCH) ** 2
        self.patch_embed = nn.Conv2d(3, dim, PATCH, PATCH)
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, dim))
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, patches + 1, dim))
        self.blocks = nn.Sequential(*(Block(dim, heads, DROP_PATH * i / (DEPTH - 1)) for i in range(DEPTH)))
        self.norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, CLASSES)

    def forward(self, images):
        x = self.patch_embed(images).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), 1) + self.pos_embed
        x = self.blocks(x)
        # Only the class token's row is read: the others need no norm, as with ours.
        return self.head(self.norm(x[:, 0]))


def make_model(name, task, device):
    if timm is not None:
        return timm.create_model(name, drop_path_rate=DROP_PATH if task == "train" else 0).to(device)
    return Deit(*MODELS[name]).to(device)


def parameter_groups(model):
    plain = [p for name, p in model.named_parameters() if p.ndim == 1 or name in ("cls_token", "pos_embed")]
    others = [p for name, p in model.named_parameters() if not (p.ndim == 1 or name in ("cls_token", "pos_embed"))]
    return [{"params": others, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]


def make_step(model, task, precision, device, batch):
    images = torch.randn(batch, 3, SIZE, SIZE, device=device)
    autocast = lambda: torch.autocast(device.type, dtype=AUTOCAST.get(precision, torch.bfloat16), enabled=precision in AUTOCAST)
    if task == "infer":
        model.eval()

        def infer():
            with torch.inference_mode(), autocast():
                model(images)

        return infer
    model.train()
    targets = F.one_hot(torch.arange(batch, device=device) % CLASSES, CLASSES).float()
    # The fastest that the version has.
    fused = {"fused": True} if device.type == "cuda" and torch.__version__ >= "2" else {}
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=1e-6, **fused)
    scaler = torch.cuda.amp.GradScaler() if precision == "amp-fp16" and device.type == "cuda" else None

    def train():
        with autocast():
            logits = model(images)
        loss = -(targets * F.log_softmax(logits.float(), -1)).sum(-1).mean()
        optimizer.zero_grad(set_to_none=True)
        if scaler is None:
            loss.backward()
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()

    return train


def timed(step, synchronize, options):
    """Warm-up, count and spread as deit bench: seconds cut into repetitions, quartile to quartile over the median."""
    begin = time.perf_counter()
    while True:
        start = time.perf_counter()
        step()
        synchronize()
        one = time.perf_counter() - start
        if time.perf_counter() - begin >= options.warm_up:
            break
    count = max(1, int(options.seconds / options.repetitions / one))
    times = []
    used = time.process_time()  # user and system, of all threads
    for _ in range(options.repetitions):
        start = time.perf_counter()
        for _ in range(count):
            step()
        synchronize()
        times.append((time.perf_counter() - start) / count)
    used = (time.process_time() - used) / (count * options.repetitions)
    times.sort()
    median = times[len(times) // 2]
    return median, (times[len(times) * 3 // 4] - times[len(times) // 4]) / median, used


def ways(options, device):
    """How PyTorch is asked to run: on a processor with each number of threads, since more are slower where cores are few or shared."""
    for threads in options.threads if device.type == "cpu" else [None]:
        for mode in options.modes:
            yield threads, mode, mode if threads is None else f"{mode}, {threads} threads"


def cases(options):
    if not options.like:
        return list(itertools.product(options.models, options.tasks, options.precisions, options.batch_sizes))
    with open(options.like, encoding="utf-8") as file:
        ours = [row for row in json.load(file)["rows"] if row.get("model") in MODELS]
    # A batch that ours was measured with in any precision is measured with PyTorch in each, the first precision first.
    measured = dict.fromkeys((row["model"], row["task"], precision, row["batch"]) for precision in options.precisions for row in ours)
    return list(measured)


def allow_tf32(precision):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"


def shapes(options, device):
    """(name, M, N, K) of the products that are to be timed, each once: ours, or DeiT-B's. Those are at a batch of 256 and with 8192 cubed, on
    a processor at a batch of 1."""
    if not options.like and device.type == "cpu":
        return [(name, 197, n * 768, k * 768) for name, (n, k) in PRODUCTS.items()]
    if not options.like:
        return [(name, 256 * 197, n * 768, k * 768) for name, (n, k) in PRODUCTS.items()] + [("square", 8192, 8192, 8192)]
    with open(options.like, encoding="utf-8") as file:
        ours = [row for row in json.load(file)["rows"] if "op" in row]
    found = ((re.fullmatch(r"(qkv|proj|fc1|fc2|square)( forward| by .*)", row["op"]), row["shape"]) for row in ours)
    return list(dict.fromkeys((match[1], *map(int, shape.split(" x "))) for match, shape in found if match))


def gemms(options, device):
    """torch.matmul of noise, and on a card a copy that no cache holds."""
    cuda = device.type == "cuda"
    synchronize = torch.cuda.synchronize if cuda else lambda: None
    pace = argparse.Namespace(warm_up=0.1, seconds=0.7, repetitions=options.repetitions)  # that of deit bench products
    if cuda:
        source = torch.randn(1 << 28, device=device)
        target = torch.empty_like(source)
        seconds, spread, _ = timed(lambda: target.copy_(source), synchronize, pace)
        yield {"name": "copy", "gb_per_s": 2 * 4 * source.numel() / seconds / 1e9, "spread": spread}
        del source, target
    for threads, precision in itertools.product([None] if cuda else options.threads, options.precisions):
        allow_tf32(precision)
        if threads is not None:
            torch.set_num_threads(threads)
        for name, m, n, k in shapes(options, device):
            row = {"name": name, "precision": precision.removeprefix("amp-"), "m": m, "n": n, "k": k, "threads": threads}
            try:
                a, b = (torch.rand(*extents, device=device).sub_(0.5).to(FACTORS[precision]) for extents in ((m, k), (n, k)))
                seconds, spread, _ = timed(lambda: torch.matmul(a, b.t()), synchronize, pace)
                row.update(tflops=2 * m * n * k / seconds / 1e12, spread=spread)
            except RuntimeError as error:  # out of memory
                row.update(error=str(error).splitlines()[0][:200])
            a = b = None
            if cuda:
                torch.cuda.empty_cache()
            print(json.dumps(row), file=sys.stderr, flush=True)
            yield row


def rows(options, device):
    cuda = device.type == "cuda"
    synchronize = torch.cuda.synchronize if cuda else lambda: None
    for (threads, mode, label), (name, task, precision, batch) in itertools.product(ways(options, device), cases(options)):
        allow_tf32(precision)
        row = {"model": name, "task": task, "precision": precision, "mode": label, "batch": batch, "threads": threads}
        try:
            if threads is not None:
                torch.set_num_threads(threads)
            torch.manual_seed(0)
            model = make_model(name, task, device)
            if mode == "compile":
                torch._dynamo.reset()  # else, after eight models, it runs the next ones without compiling them
            step = make_step(torch.compile(model) if mode == "compile" else model, task, precision, device, batch)
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            seconds, spread, used = timed(step, synchronize, options)
            row.update(images_per_s=batch / seconds, spread=spread, cpu_milliseconds_per_image=1000 * used / batch)
            row.update(peak_mib=torch.cuda.max_memory_allocated() / 2**20 if cuda else None)
        except (RuntimeError, AttributeError) as error:  # out of memory, or missing in this version: the other rows are measured all the same
            row.update(error=(str(error) or type(error).__name__).splitlines()[0][:200])
        model = step = None
        if cuda:
            torch.cuda.empty_cache()
        print(json.dumps(row), file=sys.stderr, flush=True)
        yield row


def measure(options):
    device = torch.device(options.device)
    report = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"at most {max(options.threads)} threads of {processor()}",
        "torch": torch.__version__,
        "python": platform.python_version(),
        "timm": timm and timm.__version__,
        "image_size": SIZE,
        "gemm": [],
        "rows": [],
    }
    products = gemms(options, device) if device.type == "cuda" or options.products else []
    for kind, row in itertools.chain((("gemm", row) for row in products), (("rows", row) for row in rows(options, device))):
        report[kind].append(row)
        # After each row, so that a run that is cut off leaves its rows.
        if options.output:
            with open(options.output, "w", encoding="utf-8") as file:
                file.write(json.dumps(report, indent=2) + "\n")
    if not options.output:
        print(json.dumps(report, indent=2))


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return "an unnamed processor"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("measure")
    command.add_argument("--models", nargs="+", default=["deit_tiny_patch16_224"], choices=MODELS)
    command.add_argument("--tasks", nargs="+", default=["infer", "train"], choices=["infer", "train"])
    command.add_argument("--precisions", nargs="+", default=["fp32"], choices=["fp32", "tf32", *AUTOCAST])
    command.add_argument("--modes", nargs="+", default=["eager"], choices=["eager", "compile"])
    command.add_argument("--batch-sizes", nargs="+", type=int, default=[1, 8])
    command.add_argument("--like", help="file of deit bench infer or train, whose models, tasks and batches are measured in place of those above")
    command.add_argument("--device", default="cpu")
    command.add_argument("--threads", nargs="+", type=int, default=sorted({1, len(os.sched_getaffinity(0))}), help="threads of the CPU, the fastest of which stands")
    command.add_argument("--products", action="store_true", help="time torch.matmul on a processor too, as is always done on a card")
    command.add_argument("--warm-up", type=float, default=1)
    command.add_argument("--seconds", type=float, default=3)
    command.add_argument("--repetitions", type=int, default=7)
    command.add_argument("--output")
    command.set_defaults(run=measure)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
