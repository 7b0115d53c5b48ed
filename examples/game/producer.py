"""Sends rounds of the game: a data set as a matrix of rows with their labels, and the score to beat.

    python examples/game/producer.py [--bootstrap 127.0.0.1:9092] [--rounds 60] [--pause 0.5] [--turn 30]

The score is what a logistic regression reaches on the rows that it has not seen, trained on the other two thirds of the
same round (scikit-learn, rows scaled). Half of the columns carry the class, in a way that a line cannot follow: which
of two rings a point lies on. After `--turn` rounds the rings change places, and what was learned until then is wrong.
"""

import argparse
import json
import time

import numpy
from kafka import KafkaProducer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROWS, RINGS, NOISE = 300, 2, 2


def data_set(random, turned):
    """Rows on two rings in two columns, with columns of noise beside; one row in fifty has the wrong label."""
    ring = random.integers(0, RINGS, ROWS)
    angle = random.uniform(0, 2 * numpy.pi, ROWS)
    radius = 1 + ring + random.normal(0, 0.15, ROWS)
    noise = random.normal(0, 1, (ROWS, NOISE))
    rows = numpy.column_stack([radius * numpy.cos(angle) + 0.6 * ring, radius * numpy.sin(angle), noise])
    wrong = random.random(ROWS) < 0.02
    label = numpy.where(wrong ^ (ring == (0 if turned else 1)), "outer", "inner")
    return rows, label


def score(rows, labels, seed):
    learn, ask, known, wanted = train_test_split(rows, labels, test_size=1 / 3, random_state=seed)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(learn, known).score(ask, wanted)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bootstrap", default="127.0.0.1:9092")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between rounds")
    parser.add_argument("--turn", type=int, default=30, help="rounds until the labels change places")
    given = parser.parse_args()
    producer = KafkaProducer(bootstrap_servers=given.bootstrap, acks="all")
    random = numpy.random.default_rng(7)
    for number in range(1, given.rounds + 1):
        rows, labels = data_set(random, number > given.turn)
        to_beat = score(rows, labels, number)
        value = {"round": number, "score": to_beat, "rows": rows.round(4).tolist(), "labels": labels.tolist()}
        producer.send("game", json.dumps(value).encode()).get(30)
        print(f"round {number}: {to_beat:.3f} to beat", flush=True)
        time.sleep(given.pause)
    producer.close()


if __name__ == "__main__":
    main()
