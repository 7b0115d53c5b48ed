"""Reading the two halves."""

import csv

import numpy as np


def load(path):
    """Pixels, [N, 64] of 0..16, and labels of train.csv or stream.csv."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    pixels = np.array([row[2:] for row in rows], dtype=np.float64)
    return pixels, np.array([row[1] for row in rows], dtype=int)
