#!/usr/bin/env python3
"""The goals of a card beside PyTorch and the rates that it reached, as a Markdown table.

    goals.py [OURS.json [TORCH.json]]

OURS is the file of bench/run, TORCH that of torch_peer.py measure --like OURS, both of one run. A rate that they lack is "not measured".
"""
import json
import sys

NOT_MEASURED = "not measured"
TINY, SMALL, BASE = (f"deit_{size}_patch16_224" for size in ("tiny", "small", "base"))


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Run:
    """The rows of both files."""

    def __init__(self, ours, torch):
        self.ops = [row for row in ours.get("rows", []) if "op" in row]
        self.models = [row for row in ours.get("rows", []) if "model" in row]
        self.torch = [row for row in torch.get("rows", []) if row.get("images_per_s")]
        self.gemms = [row for row in torch.get("gemm", []) if row.get("tflops")]

    def ours(self, model, task, precision):
        """The row of the largest batch, or None."""
        rows = [row for row in self.models if (row["model"], row["task"], row["precision"]) == (model, task, precision)]
        return max(rows, key=lambda row: row["batch"], default=None)

    def peers(self, row, precision, mode=None):
        """PyTorch's rows of the same model, task and batch."""
        return [
            peer for peer in self.torch
            if (peer["model"], peer["task"], peer["batch"], peer["precision"]) == (row["model"], row["task"], row["batch"], precision) and mode in (None, peer["mode"])
        ]


def verdict(reached_goal, reached_least):
    return "goal" if reached_goal else "at least" if reached_least else "missed"


def products(run):
    """Each of DeiT-B's products by our fastest kernel, as a share of torch.matmul's rate."""
    shares = []
    for gemm in run.gemms:
        shape = f"{gemm['m']} x {gemm['n']} x {gemm['k']}"
        rates = [row["giga_flops_per_second"] for row in run.ops if row["op"].startswith(gemm["name"] + " by ") and row["shape"] == shape and row["precision"] == "bf16"]
        if gemm["precision"] == "bf16" and gemm["name"] in ("qkv", "proj", "fc1", "fc2") and rates:
            shares.append((max(rates) / 1000 / gemm["tflops"], gemm["name"]))
    if not shares:
        return NOT_MEASURED
    return ", ".join(f"{name} {100 * share:.0f} %" for share, name in shares) + f": {verdict(min(shares)[0] >= 0.85, min(shares)[0] >= 0.6)}"


def against_autocast(run, model, task, precision, factor):
    row = run.ours(model, task, precision)
    modes = {mode: max((peer["images_per_s"] for peer in run.peers(row, "amp-bf16", mode)), default=None) if row else None for mode in ("compile", "eager")}
    if None in modes.values():
        return NOT_MEASURED
    compiled, eager = (row["images_per_second"] / modes[mode] for mode in ("compile", "eager"))
    return f"batch {row['batch']}: {compiled:.2f} x compiled, {eager:.2f} x eager: {verdict(compiled >= factor, eager >= factor)}"


def against_fp32(run, task, precision):
    row = run.ours(BASE, task, precision)
    rate = max((peer["images_per_s"] for peer in run.peers(row, "fp32")), default=None) if row else None
    if rate is None:
        return NOT_MEASURED
    ratio = row["images_per_second"] / rate
    return f"batch {row['batch']}: {ratio:.2f} x: {verdict(ratio >= 2, ratio >= 1)}"


def host_time(run):
    times = [row["host_microseconds"] for row in run.models if row["task"] == "train" and row.get("host_microseconds")]
    return f"{max(times):.0f} us: {verdict(max(times) <= 50, max(times) <= 200)}" if times else NOT_MEASURED


def memory(run, precision):
    row = run.ours(BASE, "train", precision)
    peak = min((peer["peak_mib"] for peer in run.peers(row, "amp-bf16") if peer.get("peak_mib")), default=None) if row and row["batch"] == 256 else None
    if peak is None or not row.get("peak_bytes"):
        return NOT_MEASURED
    share = row["peak_bytes"] / 2**20 / peak
    return f"{100 * share:.0f} %: {verdict(share <= 0.8, share <= 1)}"


def main():
    paths = sys.argv[1:]
    if len(paths) > 2 or any(path.startswith("-") for path in paths):
        sys.exit(__doc__)
    files = [read(path) for path in paths] + [{}, {}]
    run = Run(*files[:2])
    if paths:
        print(f"{files[0]['device']}, {files[0]['driver']}" + (f"; PyTorch {files[1]['torch']} on {files[1]['device']}" if len(paths) == 2 else "") + ".\n")
    print("| | goal | at least | measured |\n|---|---|---|---|")
    print(f"| bf16 products of DeiT-B, share of torch.matmul | 85 % | 60 % | {products(run)} |")
    for task, name in (("infer", "inference"), ("train", "training")):
        for model, label, factor, times in ((BASE, "B", 1, ""), (SMALL, "S", 1.3, "1.3 x "), (TINY, "Ti", 1.3, "1.3 x ")):
            for precision in ("bf16", "bf16-residual"):
                print(f"| DeiT-{label} {name}, {precision} | {times}torch.compile amp-bf16 | {times}eager amp-bf16 | {against_autocast(run, model, task, precision, factor)} |")
    for task, name in (("infer", "inference"), ("train", "training")):
        for precision in ("fp32", "bf16x3"):
            print(f"| DeiT-B {name}, {precision} | 2 x PyTorch's fp32 | 1 x | {against_fp32(run, task, precision)} |")
    print(f"| host time of a replayed step, the longest | 50 us | 200 us | {host_time(run)} |")
    for precision in ("bf16", "bf16-residual"):
        print(f"| memory of training DeiT-B, batch 256, {precision} | 80 % of PyTorch's peak | PyTorch's peak | {memory(run, precision)} |")


if __name__ == "__main__":
    main()
