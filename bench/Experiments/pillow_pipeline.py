"""The training pipeline of timm's recipe with Pillow and numpy: the peer that bench/Experiments/pipeline measures ours against.

    pillow_pipeline.py make DIR COUNT            writes JPEGs of 500 x 375, ImageNet's usual size
    pillow_pipeline.py measure DIR [options]     prints images/s and the time of each step as JSON
    pillow_pipeline.py table OURS:PEER:NAME ...  a Markdown table of such measurements, ours in the first folder, the peer's in the second

A process a core, each for itself until the time is up: nothing is sent between them and the result is thrown away, which is the best
that any loader around Pillow could do.
"""
import argparse
import glob
import json
import math
import multiprocessing
import os
import platform
import random
import statistics
import sys
import time

import numpy
import PIL
from PIL import Image, ImageEnhance, ImageOps, features

BICUBIC = Image.BICUBIC
FILL = (124, 116, 104)
MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32).reshape(3, 1, 1)
DEVIATION = numpy.array([0.229, 0.224, 0.225], numpy.float32).reshape(3, 1, 1)
SCALE, OFFSET = 1 / (255 * DEVIATION), MEAN / DEVIATION
REPETITIONS = 5
STEADY_SPREAD = 0.02
STEPS = ["decode", "crop and resize", "flip", "RandAugment", "normalise"]


# The operations as timm 0.3.2 does them, with the argument that its level functions give at a magnitude.
def sign(value):
    return -value if random.random() > 0.5 else value


def affine(image, matrix):
    return image.transform(image.size, Image.AFFINE, matrix, resample=BICUBIC, fillcolor=FILL)


def rotate(image, m):
    return image.rotate(sign(m / 10 * 30), resample=BICUBIC, fillcolor=FILL)


def posterize(image, m):
    return ImageOps.posterize(image, 4 - int(m / 10 * 4))


def solarize(image, m):
    return ImageOps.solarize(image, 256 - int(m / 10 * 256))


def solarize_add(image, m):
    add = int(m / 10 * 110)
    return image.point([min(255, i + add) if i < 128 else i for i in range(256)] * 3)


def enhance(kind):
    return lambda image, m: kind(image).enhance(1 + sign(m / 10 * 0.9))


OPERATIONS = [
    lambda image, m: ImageOps.autocontrast(image),
    lambda image, m: ImageOps.equalize(image),
    lambda image, m: ImageOps.invert(image),
    rotate,
    posterize,
    solarize,
    solarize_add,
    enhance(ImageEnhance.Color),
    enhance(ImageEnhance.Contrast),
    enhance(ImageEnhance.Brightness),
    enhance(ImageEnhance.Sharpness),
    lambda image, m: affine(image, (1, sign(m / 10 * 0.3), 0, 0, 1, 0)),
    lambda image, m: affine(image, (1, 0, 0, sign(m / 10 * 0.3), 1, 0)),
    lambda image, m: affine(image, (1, 0, sign(m / 10 * 0.45) * image.size[0], 0, 1, 0)),
    lambda image, m: affine(image, (1, 0, 0, 0, 1, sign(m / 10 * 0.45) * image.size[1])),
]


def rand_augment(image):
    """rand-m9-mstd0.5-inc1"""
    for operation in random.choices(OPERATIONS, k=2):
        if random.random() > 0.5:
            continue
        image = operation(image, max(0, min(random.gauss(9, 0.5), 10)))
    return image


def choose_crop(width, height):
    """torchvision's RandomResizedCrop."""
    for _ in range(10):
        area = width * height * random.uniform(0.08, 1)
        aspect = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            top, left = random.randint(0, height - h), random.randint(0, width - w)
            return left, top, w, h
    w, h = width, height
    if width / height < 3 / 4:
        h = round(w / (3 / 4))
    elif width / height > 4 / 3:
        w = round(h * (4 / 3))
    return (width - w) // 2, (height - h) // 2, w, h


def decode(path):
    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


def resized_crop(image, size):
    left, top, width, height = choose_crop(*image.size)
    return image.crop((left, top, left + width, top + height)).resize((size, size), BICUBIC)


def flip(image):
    return image.transpose(Image.FLIP_LEFT_RIGHT) if random.random() < 0.5 else image


def normalise(image):
    planes = numpy.asarray(image).transpose(2, 0, 1).astype(numpy.float32, order="C")
    planes *= SCALE
    planes -= OFFSET
    return planes


def pipeline(path, size):
    return normalise(rand_augment(flip(resized_crop(decode(path), size))))


def work(job):
    """Goes through the files until the last window's end; how many images were done in each window. The first one warms up."""
    number, files, size, begin, window, windows = job
    random.seed(number)
    random.shuffle(files)
    counts = [0] * windows
    index = 0
    while True:
        pipeline(files[index % len(files)], size)
        index += 1
        current = int((time.monotonic() - begin) / window)
        if current >= windows:
            return counts
        if current >= 0:
            counts[current] += 1


def all_cores(files, size, workers, seconds):
    window = seconds / REPETITIONS
    with multiprocessing.Pool(workers) as pool:
        # As many jobs as processes, all of which last to the end: each process has one.
        begin = time.monotonic() + min(3, seconds)
        counts = pool.map(work, [(i, files, size, begin, window, REPETITIONS) for i in range(workers)], chunksize=1)
    rates = [sum(worker[i] for worker in counts) / window for i in range(REPETITIONS)]
    ordered = sorted(rates)
    median = ordered[REPETITIONS // 2]
    spread = (ordered[REPETITIONS * 3 // 4] - ordered[REPETITIONS // 4]) / median
    return {"median": median, "spread": spread, "steady": spread <= STEADY_SPREAD, "repetitions": rates}


def one_process(files, size, seconds):
    random.seed(0)
    random.shuffle(files)
    times, count, end = [0.0] * len(STEPS), 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        value = files[count % len(files)]
        for i, step in enumerate([decode, lambda image: resized_crop(image, size), flip, rand_augment, normalise]):
            start = time.perf_counter()
            value = step(value)
            times[i] += time.perf_counter() - start
        count += 1
    milliseconds = 1000 * sum(times) / count
    steps = [{"name": name, "milliseconds": 1000 * t / count, "share": t / sum(times)} for name, t in zip(STEPS, times)]
    return {"images_per_second": 1000 / milliseconds, "milliseconds": milliseconds, "steps": steps}


def list_files(folder):
    root = os.path.join(folder, "train")
    root = root if os.path.isdir(root) else folder
    files = sorted(f for f in glob.glob(os.path.join(root, "**", "*"), recursive=True) if f.lower().endswith((".jpg", ".jpeg", ".png")))
    if not files:
        sys.exit(f"Measuring '{folder}' failed: it has no pictures; name a folder with a folder of pictures for each class.")
    return files


def measure(arguments):
    files = list_files(arguments.data)
    report = {
        "data": arguments.data,
        "pictures": len(files),
        "input_size": arguments.input_size,
        "workers": arguments.workers,
        "runtime": f"Python {platform.python_version()}, Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, numpy {numpy.__version__}",
        "images_per_second": all_cores(files, arguments.input_size, arguments.workers, arguments.seconds),
        "one_thread": one_process(files, arguments.input_size, arguments.seconds),
    }
    print(json.dumps(report, indent=2))


def make(arguments):
    """Noise of six scales, whose files have about as many bytes as ImageNet's of this size: 110 KB."""
    width, height = 500, 375
    generator = numpy.random.default_rng(1)
    for i in range(arguments.count):
        picture = numpy.zeros((height, width, 3))
        for octave in range(6):
            small = generator.integers(0, 256, (3 << octave, 4 << octave, 3), numpy.uint8)
            picture += numpy.asarray(Image.fromarray(small).resize((width, height), BICUBIC)) / 2.0**octave
        folder = os.path.join(arguments.folder, "ab"[i % 2])
        os.makedirs(folder, exist_ok=True)
        picture += generator.normal(0, 50, (height, width, 1))  # grain, the same in all channels
        Image.fromarray(numpy.clip(picture / 2 + 4, 0, 255).astype(numpy.uint8)).save(os.path.join(folder, f"{i:04}.jpg"), quality=90)


def load(folder):
    reports = []
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            reports.append(json.load(file))
    return reports


def summary(reports):
    rates = [report["images_per_second"]["median"] for report in reports]
    median = statistics.median(rates)
    return median, (max(rates) - min(rates)) / median


def step_times(reports):
    """Steps by name, without those that only one of the two has: ours could erase, and does not."""
    return {
        step["name"].split(" and erase")[0]: statistics.median(r["one_thread"]["steps"][i]["milliseconds"] for r in reports)
        for i, step in enumerate(reports[0]["one_thread"]["steps"])
    }


def table(arguments):
    sides = [(name, load(ours), load(peer)) for ours, peer, name in (pair.split(":", 2) for pair in arguments.pairs)]
    ours, peer = sides[0][1][0], sides[0][2][0]
    print(f"{ours['workers']} workers each; .NET {ours['runtime']}; {peer['runtime']}; medians of {len(sides[0][1])} alternating runs.\n")
    print("| pictures | ours, images/s | spread | Pillow, images/s | spread | ratio |")
    print("|---|---|---|---|---|---|")
    unsteady = False
    for name, our_reports, peer_reports in sides:
        (rate, spread), (peer_rate, peer_spread) = summary(our_reports), summary(peer_reports)
        unsteady |= max(spread, peer_spread) > STEADY_SPREAD
        print(f"| {name} | {rate:.0f} | {100 * spread:.1f} % | {peer_rate:.0f} | {100 * peer_spread:.1f} % | {rate / peer_rate:.2f} |")
    if unsteady:
        print("\nA spread is above 2 %: the machine was not idle, or the time too short.")
    print("\n| pictures | one thread, ms an image | ours | Pillow | ratio |")
    print("|---|---|---|---|---|")
    for name, our_reports, peer_reports in sides:
        our_times, peer_times = step_times(our_reports), step_times(peer_reports)
        for step in STEPS:
            print(f"| {name} | {step} | {our_times[step]:.3f} | {peer_times[step]:.3f} | {peer_times[step] / our_times[step]:.2f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("make")
    command.add_argument("folder")
    command.add_argument("count", type=int)
    command.set_defaults(run=make)
    command = commands.add_parser("measure")
    command.add_argument("data")
    command.add_argument("--input-size", type=int, default=224)
    command.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    command.add_argument("--seconds", type=float, default=10)
    command.set_defaults(run=measure)
    command = commands.add_parser("table")
    command.add_argument("pairs", nargs="+")
    command.set_defaults(run=table)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
