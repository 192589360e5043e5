#!/usr/bin/env python3
"""Compares hashes by which copies of pictures are found, and `deit check` itself, on any folder of pictures.

    near_duplicates.py FOLDER [--deit ./deit] [--sample 400] [--seed 1] [--scale 100000]

Copies of a sample are made with Pillow: encoded anew, resized, cropped, mirrored. A table has for each hash and each kind of
copy the share that lies within the threshold, and how many pairs of different pictures lie within it too. The last row is
what `deit check` finds, run on the folder and the copies of one kind at a time. With --scale, so many patches of the pictures
are laid down in CIFAR's format, and `deit check` is measured on them. Needs numpy and Pillow. Prints Markdown.
"""

import argparse
import io
import json
import os
import pathlib
import random
import resource
import subprocess
import tempfile
import time

import numpy as np
from PIL import Image

ENDS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


def cosines(side, first, count):
    places = np.arange(side) + 0.5
    return np.cos(np.pi / side * np.outer(np.arange(first, first + count), places))


def grey(image, width, height):
    return np.asarray(image.convert("L").resize((width, height), Image.BOX), dtype=np.float32)


def transform(image, side, first, count):
    basis = cosines(side, first, count)
    values = (basis @ grey(image, side, side) @ basis.T).reshape(-1)
    return values > np.median(values)


def difference(image, side):
    levels = grey(image, side + 1, side)
    return (levels[:, 1:] > levels[:, :-1]).reshape(-1)


# name: (bits of a picture, threshold). Those of 64 bits take 10, as imagededup does; PDQ takes 31; dHash of 256 bits 10 / 64.
HASHES = {
    "dHash, 64 bits": (lambda image: difference(image, 8), 10),
    "dHash, 256 bits": (lambda image: difference(image, 16), 40),
    "pHash, 64 bits": (lambda image: transform(image, 32, 0, 8), 10),
    "PDQ's bits of 64 x 64 levels": (lambda image: transform(image, 64, 1, 16), 31),
    "PDQ's bits of 32 x 32 levels": (lambda image: transform(image, 32, 1, 16), 31),
}


def encoded(image, form, quality):
    data = io.BytesIO()
    image.save(data, form, quality=quality)
    return form.lower(), data.getvalue()


def png(image):
    data = io.BytesIO()
    image.save(data, "PNG")
    return "png", data.getvalue()


def resized(image, factor):
    size = [max(1, round(side * factor)) for side in image.size]
    return encoded(image.resize(size, Image.BICUBIC), "JPEG", 85)


def cropped(image, share, chance):
    width, height = (max(1, round(side * (1 - share))) for side in image.size)
    left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
    return encoded(image.crop((left, top, left + width, top + height)), "JPEG", 85)


KINDS = {
    "PNG": lambda image, chance: png(image),
    "JPEG 95": lambda image, chance: encoded(image, "JPEG", 95),
    "JPEG 60": lambda image, chance: encoded(image, "JPEG", 60),
    "JPEG 30": lambda image, chance: encoded(image, "JPEG", 30),
    "WebP 50": lambda image, chance: encoded(image, "WEBP", 50),
    "0.25 x": lambda image, chance: resized(image, 0.25),
    "0.5 x": lambda image, chance: resized(image, 0.5),
    "2 x": lambda image, chance: resized(image, 2),
    "crop 5 %": lambda image, chance: cropped(image, 0.05, chance),
    "crop 10 %": lambda image, chance: cropped(image, 0.1, chance),
    "crop 20 %": lambda image, chance: cropped(image, 0.2, chance),
    "mirrored": lambda image, chance: encoded(image.transpose(Image.FLIP_LEFT_RIGHT), "JPEG", 85),
    "mirrored, crop 10 %": lambda image, chance: cropped(image.transpose(Image.FLIP_LEFT_RIGHT), 0.1, chance),
}


def close_pairs(bits, threshold):
    signs = np.where(bits, 1, -1).astype(np.float32)
    distances = (bits.shape[1] - signs @ signs.T) / 2
    return int((np.triu(distances <= threshold, 1)).sum())


def check(deit, folder):
    """Groups of names, and what it cost."""
    start = time.time()
    done = subprocess.run([*deit, "check", folder, "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    seconds = time.time() - start
    groups = {}
    for finding in json.loads(done.stdout)["findings"]:
        if finding["kind"].endswith(("_near", "_exact")):
            for example in finding["examples"]:
                names = frozenset(picture["name"] for picture in example["pictures"])
                groups[names] = example["text"]
    return groups, seconds


def link(target, name):
    name.parent.mkdir(parents=True, exist_ok=True)
    os.symlink(target, name)


def measure_check(deit, files, copies):
    """The share of copies that are found, by kind, and the pairs of different pictures that are called copies."""
    shares = {}
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for number, file in enumerate(files):
            link(file.resolve(), place / "train" / ("even", "odd")[number % 2] / f"{number}{file.suffix}")
        found, seconds = check(deit, place)
        # A split besides holds nothing that the pictures have: it is the check's val split in the runs that follow.
        for kind, ones in copies.items():
            for number, (form, data) in ones.items():
                name = place / "val" / ("even", "odd")[number % 2] / f"{number}.{form}"
                name.parent.mkdir(parents=True, exist_ok=True)
                name.write_bytes(data)
            groups, _ = check(deit, place)
            where = {}
            for names in groups:
                for name in names:
                    where.setdefault(name, []).append(names)
            hits = 0
            for number, (form, _) in ones.items():
                side = ("even", "odd")[number % 2]
                copy = str(place / "val" / side / f"{number}.{form}")
                original = str(place / "train" / side / f"{number}{files[number].suffix}")
                hits += any(original in names for names in where.get(copy, []))
            shares[kind] = hits / len(ones)
            for file in (place / "val").rglob("*.*"):
                file.unlink()
    return shares, found, seconds


def scale(deit, files, count):
    """Lays down patches of 32 x 32 pixels in the format of CIFAR-100 and measures a check of them."""
    each = -(-count // len(files))
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        (place / "fine_label_names.txt").write_text("a\nb\n")
        with open(place / "train.bin", "wb") as train, open(place / "test.bin", "wb") as test:
            for number in range(count):
                if number % each == 0:
                    with Image.open(files[number // each]) as image:
                        image = image.convert("RGB")
                    image = image.resize([max(side, 32) for side in image.size])
                    columns = max(1, round((each * image.width / image.height) ** 0.5))
                    rows = -(-each // columns)
                at = number % each
                left = (image.width - 32) * (at % columns) // max(columns - 1, 1)
                top = (image.height - 32) * (at // columns) // max(rows - 1, 1)
                patch = np.asarray(image.crop((left, top, left + 32, top + 32))).transpose(2, 0, 1)
                record = bytes([0, number % 2]) + patch.tobytes()
                (test if number % 10 == 0 else train).write(record)
        result = []
        for near in ("off", "31"):  # the memory is that of the largest child so far
            start = time.time()
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([*deit, "check", place, "--near", near], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            result.append((near, time.time() - start, processor, after.ru_maxrss / 1024))
        return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--deit", default="./deit", help="the command, words apart by blanks")
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=int, default=0)
    options = parser.parse_args()
    deit = options.deit.split()
    files = sorted(file for file in options.folder.rglob("*") if file.suffix.lower() in ENDS)
    chance = random.Random(options.seed)
    sample = sorted(chance.sample(range(len(files)), min(options.sample, len(files))))
    bits = {name: [] for name in HASHES}
    copies = {kind: {} for kind in KINDS}
    chosen = set(sample)
    for number, file in enumerate(files):
        with Image.open(file) as image:
            image = image.convert("RGB")
        for name, (hash_of, _) in HASHES.items():
            bits[name].append(hash_of(image))
        if number in chosen:
            for kind, change in KINDS.items():
                copies[kind][number] = change(image, chance)

    print(f"{len(files)} pictures, {len(sample)} of them with a copy of each kind, seed {options.seed}.\n")
    print(f"| hash | within | {' | '.join(KINDS)} | pairs of different pictures within |")
    print(f"|---|--:|{'--:|' * len(KINDS)}--:|")
    for name, (hash_of, threshold) in HASHES.items():
        cells = []
        for kind, ones in copies.items():
            found = 0
            for number, (_, data) in ones.items():
                with Image.open(io.BytesIO(data)) as copy:
                    found += np.count_nonzero(hash_of(copy.convert("RGB")) != bits[name][number]) <= threshold
            cells.append(f"{100 * found / len(ones):.1f}")
        pairs = close_pairs(np.array(bits[name]), threshold)
        print(f"| {name} | {threshold} | {' | '.join(cells)} | {pairs} |", flush=True)
    shares, found, seconds = measure_check(deit, files, copies)
    cells = [f"{100 * shares[kind]:.1f}" for kind in KINDS]
    print(f"| **deit check** | 31 | {' | '.join(cells)} | {len(found)} |\n")
    print(f"`deit check` of the folder took {seconds:.1f} s. Groups that it found in the folder itself:\n")
    for names, text in found.items():
        paths = [files[int(pathlib.Path(name).stem)].relative_to(options.folder) for name in sorted(names)]
        print(f"- {text}: {', '.join(f'`{path}`' for path in paths)}")
    if options.scale:
        print(f"\n{options.scale} patches of 32 x 32 pixels:\n\n| --near | seconds | processor seconds | MiB at most |\n|---|--:|--:|--:|")
        for near, wall, processor, memory in scale(deit, files, options.scale):
            print(f"| {near} | {wall:.1f} | {processor:.1f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
