"""The yardstick: k-means over the whole streamed half at once, with and without the network.

With --rows signature|raw it prints the streamed half as `label,value,...` lines instead, for the
streaming model to be measured on the same rows (README.md has the command).
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

from images import load

HERE = Path(__file__).resolve().parent


def purity(labels, clusters):
    return contingency_matrix(labels, clusters).max(axis=0).sum() / len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", choices=["signature", "raw"])
    parser.add_argument("--model", default=HERE / "signature.onnx")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    pixels, labels = load(HERE / "stream.csv")
    session = onnxruntime.InferenceSession(arguments.model, providers=["CPUExecutionProvider"])
    signatures = session.run(None, {"pixels": pixels.astype(np.float32)})[0]
    features = {"signature": signatures, "raw": pixels}
    if arguments.rows:
        for label, row in zip(labels, features[arguments.rows]):
            sys.stdout.write(",".join([str(label), *(repr(float(value)) for value in row)]) + "\n")
        return
    for name, rows in features.items():
        results = []
        for seed in range(arguments.seeds):
            clusters = KMeans(10, n_init=10, random_state=seed).fit_predict(rows)
            results.append((purity(labels, clusters), adjusted_rand_score(labels, clusters)))
        mean, least, most = np.mean(results, axis=0), np.min(results, axis=0), np.max(results, axis=0)
        for column, metric in enumerate(["purity", "adjusted Rand index"]):
            print(f"{name:10} {metric:20} {mean[column]:.3f} ({least[column]:.3f} to {most[column]:.3f})")


if __name__ == "__main__":
    main()
