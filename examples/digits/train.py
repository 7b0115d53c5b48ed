"""Trains the signature network on train.csv and writes signature.onnx. It never opens stream.csv.

A perceptron of two hidden layers maps 64 pixels to 16 numbers on the unit sphere. While it trains, a
further layer tells the digits apart by the cosine between a signature and one direction per digit,
with a margin, so that images of a digit gather in one place. That layer is then thrown away: the
network says what is alike, not what is what.

Pixels are varied as they are shown: moved, turned, scaled, thickened, blurred by less than a pixel or
two, because nobody draws in the middle of the canvas.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from images import load

HERE = Path(__file__).resolve().parent
SEED = 7
HIDDEN = (128, 64)
SIGNATURE = 16
EPOCHS = 600
BATCH = 64
RATE = 2e-3
DECAY = 1e-4
SCALE = 12.0
MARGIN = 0.25


def vary(images, rng):
    """Each image moved, turned, scaled and redrawn a little differently. Values 0..16 stay in range."""
    count = len(images)
    angle = rng.normal(0, 0.12, count)
    scale = np.exp(rng.normal(0, 0.10, (count, 2)))
    shear = rng.normal(0, 0.12, count)
    shift = rng.choice([-1, 0, 0, 1], (count, 2)) + rng.normal(0, 0.3, (count, 2))
    y, x = np.meshgrid(np.arange(8) - 3.5, np.arange(8) - 3.5, indexing="ij")
    cos, sin = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    source_x = (cos * x + (sin + shear[:, None, None]) * y) * scale[:, 0, None, None] + 3.5 + shift[:, 0, None, None]
    source_y = (-sin * x + cos * y) * scale[:, 1, None, None] + 3.5 + shift[:, 1, None, None]
    varied = sample(images.reshape(count, 8, 8), source_y, source_x)
    strength = np.exp(rng.normal(0, 0.25, count))[:, None, None]
    varied = 16 * (np.clip(varied, 0, 16) / 16) ** strength
    varied += rng.normal(0, 0.6, varied.shape) * (varied > 0)
    return np.clip(varied, 0, 16).reshape(count, 64)


def sample(images, y, x):
    """Bilinear, with nothing beyond the edge."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    y, x = np.clip(y + 2, 0, 10.999), np.clip(x + 2, 0, 10.999)
    top, left = y.astype(int), x.astype(int)
    down, right = y - top, x - left
    rows = np.arange(len(images))[:, None, None]
    upper = padded[rows, top, left] * (1 - right) + padded[rows, top, left + 1] * right
    lower = padded[rows, top + 1, left] * (1 - right) + padded[rows, top + 1, left + 1] * right
    return upper * (1 - down) + lower * down


def normalised(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def normalised_gradient(rows, gradient):
    """The gradient before normalising, from the one after it."""
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / norm
    return (gradient - unit * (unit * gradient).sum(1, keepdims=True)) / norm


class Network:
    def __init__(self, rng):
        sizes = [64, *HIDDEN, SIGNATURE]
        self.weights = [rng.normal(0, np.sqrt(2 / a), (a, b)) for a, b in zip(sizes, sizes[1:])]
        self.biases = [np.zeros(b) for b in sizes[1:]]
        self.classes = rng.normal(0, 1, (10, SIGNATURE))

    def parameters(self):
        return [*self.weights, *self.biases, self.classes]

    def signatures(self, pixels):
        return normalised(self.forward(pixels)[-1])

    def forward(self, pixels):
        outputs = [pixels / 16]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1]):
            outputs.append(np.maximum(outputs[-1] @ weight + bias, 0))
        outputs.append(outputs[-1] @ self.weights[-1] + self.biases[-1])
        return outputs

    def gradients(self, pixels, labels):
        """Of the mean cross-entropy of the margined cosines, for each of `parameters`."""
        outputs = self.forward(pixels)
        units, directions = normalised(outputs[-1]), normalised(self.classes)
        chosen = np.eye(10)[labels]
        logits = SCALE * (units @ directions.T - MARGIN * chosen)
        chances = np.exp(logits - logits.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        cosines = SCALE * (chances - chosen) / len(pixels)
        classes = normalised_gradient(self.classes, cosines.T @ units)
        delta = normalised_gradient(outputs[-1], cosines @ directions)
        weights, biases = [], []
        for layer in reversed(range(len(self.weights))):
            weights.insert(0, outputs[layer].T @ delta)
            biases.insert(0, delta.sum(0))
            delta = (delta @ self.weights[layer].T) * (outputs[layer] > 0)
        return [*weights, *biases, classes]


def train(pixels, labels, seed, epochs=EPOCHS):
    """Adam with a cosine schedule and weight decay."""
    rng = np.random.default_rng(seed)
    network = Network(rng)
    first = [np.zeros_like(p) for p in network.parameters()]
    second = [np.zeros_like(p) for p in network.parameters()]
    step = 0
    for epoch in range(epochs):
        rate = RATE * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        shown = vary(pixels, rng)
        order = rng.permutation(len(pixels))
        for rows in np.array_split(order, len(order) // BATCH):
            step += 1
            gradients = network.gradients(shown[rows], labels[rows])
            for p, g, m, v in zip(network.parameters(), gradients, first, second):
                m += 0.1 * (g - m)
                v += 0.001 * (g * g - v)
                p -= rate * (m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8) + DECAY * p)
    return network


def to_onnx(network):
    """The network as an ONNX model: [N, 64] pixels of 0..16 to [N, 16], each row of length 1."""

    def constant(name, value):
        return numpy_helper.from_array(np.asarray(value, dtype=np.float32), name)

    constants = [constant("white", 16.0)]
    nodes = [helper.make_node("Div", ["pixels", "white"], ["layer0"])]
    last = len(network.weights) - 1
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases)):
        constants += [constant(f"weight{layer}", weight), constant(f"bias{layer}", bias)]
        out = "raw" if layer == last else f"sum{layer}"
        inputs = [f"layer{layer}", f"weight{layer}", f"bias{layer}"]
        nodes.append(helper.make_node("Gemm", inputs, [out], alpha=1.0, beta=1.0, transA=0, transB=0))
        if layer != last:
            nodes.append(helper.make_node("Relu", [out], [f"layer{layer + 1}"]))
    nodes.append(helper.make_node("ReduceL2", ["raw"], ["length"], axes=[1], keepdims=1))
    nodes.append(helper.make_node("Div", ["raw", "length"], ["signature"]))
    graph = helper.make_graph(
        nodes,
        "signature",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 64])],
        [helper.make_tensor_value_info("signature", TensorProto.FLOAT, ["N", SIGNATURE])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="pelton")
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=HERE / "signature.onnx")
    arguments = parser.parse_args()
    pixels, labels = load(HERE / "train.csv")
    network = train(pixels, labels, arguments.seed)
    told = (network.signatures(pixels) @ normalised(network.classes).T).argmax(1)
    onnx.save(to_onnx(network), arguments.out)
    print(f"{arguments.out.name}: {arguments.out.stat().st_size} bytes, {(told == labels).mean():.4f} of its own images told right")


if __name__ == "__main__":
    main()
