"""The page of bench/Experiments/peers: tables of what its rounds measured.

    peers_page.py FOLDER        prints Markdown

FOLDER/engines has a line for each engine, its folder and its name with a tab between; the first is what the others are divided into. The
files of a round in FOLDER/ENGINE begin with its number and a dash, and are those of deit bench, torch_peer.py and the other peers. Of what a
round measured in several ways (numbers of threads, kernels) the fastest stands. FOLDER/load has a line of /proc/loadavg for each round and one
for the end, FOLDER/missing a line for each engine that was left out. Both may be missing.
"""
import json
import os
import pathlib
import re
import statistics
import sys

TASKS = {"infer": "inference", "train": "training"}


class Engine:
    def __init__(self, folder, name):
        self.name, self.about = name, None
        self.rates, self.cpu, self.threads, self.products = {}, {}, {}, {}
        rounds = {}
        for path in sorted(folder.glob("*.json")):
            rounds.setdefault(int(path.name.split("-")[0]), []).append(json.loads(path.read_text(encoding="utf-8")))
        for number in sorted(rounds):
            self.add(rounds[number])

    def add(self, reports):
        """The fastest of each row of a round."""
        models, products = {}, {}
        for report in reports:
            self.about = self.about or report
            for row in report["rows"] + report.get("gemm", []):
                rate = row.get("images_per_second", row.get("images_per_s"))
                if "model" in row and rate:
                    key = (row["model"], row["task"], row["batch"])
                    models[key] = max(models.get(key, (0,)), (rate, row.get("cpu_milliseconds_per_image"), row.get("threads")), key=lambda way: way[0])
                elif product(row):
                    key, rate = product(row)
                    products[key] = max(rate, products.get(key, 0))
        for key, (rate, cpu, threads) in models.items():
            self.rates.setdefault(key, []).append(rate)
            if cpu:
                self.cpu.setdefault(key, []).append(cpu)
            if threads:
                self.threads.setdefault(key, set()).add(threads)
        for key, rate in products.items():
            self.products.setdefault(key, []).append(rate)

    def cell(self, key):
        if key not in self.rates:
            return ""
        cpu = f", {number(statistics.median(self.cpu[key]))} ms" if key in self.cpu else ""
        return spread(self.rates[key]) + cpu

    def ratio(self, ours, key):
        return f"{statistics.median(ours.rates[key]) / statistics.median(self.rates[key]):.2f}" if key in ours.rates and key in self.rates else ""

    def version(self):
        about = self.about
        text = f"PyTorch {about['torch']}" if "torch" in about else about["driver"]
        if "features" in about:  # a Vulkan device is more than the processor that the page begins with
            text = f"{about['device']}, {text}"
        return f"{text}, {about['version'].split('+')[-1][:10]}" if "version" in about else text

    def ways(self):
        if not self.threads:
            return "those of the driver"
        return "; ".join(f"{task(key)}: {' or '.join(map(str, sorted(self.threads[key])))}" for key in self.threads)


def product(row):
    """The name and GFLOP/s of a row of a product, ours or PyTorch's; None of any other row."""
    match = re.fullmatch(r"(qkv|proj|fc1|fc2)( by .*)?", row.get("op") or row.get("name") or "")
    if not match:
        return None
    if "tflops" in row:
        return (match[1], f"{row['m']} x {row['n']} x {row['k']}"), 1000 * row["tflops"]
    return ((match[1], row["shape"]), row["giga_flops_per_second"]) if row.get("giga_flops_per_second") else None


def task(key):
    return f"{key[0]}, {TASKS[key[1]]}, batch {key[2]}"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def spread(values):
    return f"{number(statistics.median(values))} ({number(min(values))} to {number(max(values))})"


def table(heads, rows):
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def keys(engines, attribute):
    """Those of all engines, each once, in the order of the first that has it."""
    return list(dict.fromkeys(key for engine in engines for key in getattr(engine, attribute)))


def lines(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    engines = [Engine(folder / line.split("\t")[0], line.split("\t")[1]) for line in lines(folder / "engines")]
    engines = [engine for engine in engines if engine.about]
    if not engines:
        sys.exit(f"Making a page of '{folder}' failed: it has no measurements; run bench/Experiments/peers.")
    ours = engines[0]
    loads = [line.split()[0] for line in lines(folder / "load")]
    rounds = max(map(len, ours.rates.values()), default=0)
    print(f"{ours.about.get('host', ours.about['device'])}; fp32; {rounds} round{'s' * (rounds != 1)}, in each all engines in turn.")
    if loads:
        print(f"Load average of the last minute before each round and at the end: {', '.join(loads)}.")
        if float(loads[0]) > (os.cpu_count() or 1) / 2:
            print("The machine was not idle when this began: an engine with a thread a core loses more by that than one with a single thread.")
    print("\nImages a second: median of the rounds (lowest to highest). Then processor time an image, of all threads, where the engine tells it.\n")
    models = keys(engines, "rates")
    table(["", *(engine.name for engine in engines)], ([task(key), *(engine.cell(key) for engine in engines)] for key in models))
    if len(engines) > 1:
        print(f"Images a second of {ours.name}, divided by those of the other; above 1, {ours.name} is faster.\n")
        others = engines[1:]
        table(["", *(engine.name for engine in others)], ([task(key), *(engine.ratio(ours, key) for engine in others)] for key in models))
    multiplying = [engine for engine in engines if engine.products]
    if multiplying:
        print("Products of DeiT-B's layers, GFLOP/s: median of the rounds (lowest to highest), ours by the fastest kernel.\n")
        rows = ([", ".join(key), *(spread(engine.products[key]) if key in engine.products else "" for engine in multiplying)] for key in keys(multiplying, "products"))
        table(["", *(engine.name for engine in multiplying)], rows)
    table(["engine", "version", "threads, the fastest in a round"], ([engine.name, engine.version(), engine.ways()] for engine in engines))
    missing = lines(folder / "missing")
    if missing:
        print("Left out:\n")
        print("\n".join(f"- {line}" for line in missing))


if __name__ == "__main__":
    main()
