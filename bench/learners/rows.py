"""Rows that no generator of Pelton's makes: a series of numbers, and data that River's package brings."""

import random

from math import pi, sin

# Writes one of River's data sets, the label last.
DATASET = """
import csv, sys
from river import datasets
rows = iter(getattr(datasets, sys.argv[1])())
with open(sys.argv[2], "w") as file:
    out = csv.writer(file, lineterminator="\\n")
    for number, (x, y) in enumerate(rows):
        if number == 0:
            out.writerow([*x, "label"])
        out.writerow([*x.values(), int(y)])
"""


def hours(path, count=20_000):
    """A level that wanders, a season of 24 values, and noise."""
    chance, level = random.Random(1), 100.0
    with open(path, "w") as file:
        file.write("number\n")
        for hour in range(count):
            level += chance.gauss(0, 0.2)
            file.write(f"{level + 20 * sin(hour * pi / 12) + chance.gauss(0, 2)}\n")


def errors(path, count=100_000, every=10_000):
    """Ones and zeros: how often a model errs, which changes every so many rows."""
    chance = random.Random(2)
    with open(path, "w") as file:
        file.write("error\n")
        for row in range(count):
            rate = (0.1, 0.4, 0.2, 0.5)[row // every % 4]
            file.write(f"{int(chance.random() < rate)}\n")


def levels(path, count=100_000, every=10_000):
    """Numbers around a middle that jumps every so many rows."""
    chance = random.Random(3)
    with open(path, "w") as file:
        file.write("value\n")
        for row in range(count):
            file.write(f"{chance.gauss((0.0, 1.0, 0.4, 2.0)[row // every % 4], 0.5)}\n")
