"""Writes train.csv and stream.csv: scikit-learn's digits, each class halved, in a seeded order.

Both files come with the repository; this is how they were made. Run it again and nothing changes.
"""

import csv
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

SEED = 2026
HERE = Path(__file__).resolve().parent


def halves(labels, rng):
    """Row numbers of two halves with the same share of each class, both shuffled."""
    train, stream = [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        # Odd classes give their extra image to each side in turn.
        middle = (len(rows) + label % 2) // 2
        train.extend(rows[:middle])
        stream.extend(rows[middle:])
    return rng.permutation(train), rng.permutation(stream)


def write(path, rows, pixels, labels):
    with path.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "label", *(f"p{i}" for i in range(64))])
        for row in rows:
            out.writerow([f"d{row:04}", labels[row], *(int(value) for value in pixels[row])])


def main():
    pixels, labels = load_digits(return_X_y=True)
    train, stream = halves(labels, np.random.default_rng(SEED))
    write(HERE / "train.csv", train, pixels, labels)
    write(HERE / "stream.csv", stream, pixels, labels)
    print(f"{len(train)} images to train on, {len(stream)} to stream")


if __name__ == "__main__":
    main()
