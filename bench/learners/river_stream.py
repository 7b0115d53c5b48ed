"""One of River's learners over one stream, test-then-train; runs in the environment that has River.

    python river_stream.py '{"data": "elec.csv", "model": "naive_bayes.GaussianNB()", "label": "class"}'

The rows are made before the clock starts, as dictionaries, which is what River takes; the clock is the processor time
of the thread around predicting and learning alone. One line of JSON says what came of it. With "answers" every answer
is written to a file: the shares of the classes in the order in which they first came, or a number.
"""

import importlib
import json
import pickle
import sys
import time

import score

MODULES = (
    "anomaly bandit cluster compose drift dummy ensemble facto feature_extraction forest linear_model naive_bayes neighbors"
    " optim preprocessing stats time_series tree"
).split()


def names():
    return {name: importlib.import_module(f"river.{name}") for name in MODULES}


def rows(path, label, categories, limit):
    """The rows as dictionaries, and their labels: numbers, or codes in the order in which classes first came."""
    features, labels, codes = [], [], {}
    with open(path) as file:
        columns = file.readline().rstrip("\n").split(",")[:-1]
        for line in file:
            if len(labels) == limit:
                break
            *values, last = line.rstrip("\n").split(",")
            pairs = zip(columns, values, strict=True)
            features.append(
                {name: value if name in categories else float(value) for name, value in pairs if value != ""}
            )
            labels.append(float(last) if label == "number" else codes.setdefault(last, len(codes)))
    return features, labels, list(codes)


def classify(model, features, labels, binary):
    """The answers of a classifier: dictionaries of shares by code."""
    answers = []
    for x, code in zip(features, labels, strict=True):
        answers.append(model.predict_proba_one(x))
        model.learn_one(x, code == 1 if binary else code)
    return answers


def regress(model, features, labels, _):
    answers = []
    for x, y in zip(features, labels, strict=True):
        answers.append(model.predict_one(x))
        model.learn_one(x, y)
    return answers


def foresee(model, features, labels, _):
    """The answers of a forecaster, one step ahead, as soon as it has any."""
    answers = []
    for x, y in zip(features, labels, strict=True):
        try:
            answers.append(model.forecast(1, [x] if x else None)[0])
        except (IndexError, ValueError, AttributeError, TypeError):
            answers.append(None)
        model.learn_one(y, x) if x else model.learn_one(y)
    return answers


def detect(model, features, _, __):
    answers = []
    for x in features:
        answers.append(model.score_one(x))
        model.learn_one(x)
    return answers


def group(model, features, _, __):
    """The answers of a clusterer, as soon as it has any."""
    answers, ready = [], False
    for x in features:
        if ready:
            answers.append(model.predict_one(x))
        else:
            try:
                answers.append(model.predict_one(x))
                ready = True
            except (IndexError, KeyError, ValueError, AttributeError):
                answers.append(None)
        model.learn_one(x)
    return answers


TASKS = {"class": classify, "number": regress, "forecast": foresee, "score": detect, "cluster": group}


def figures(task, answers, labels, classes):
    if task == "class":
        return score.classes([largest(shares) for shares in answers], labels)
    if task in ("number", "forecast"):
        return score.numbers(answers, labels)
    if task == "score":
        return score.strangeness(answers, [classes[code] in ("1", "true", "True") for code in labels])
    return score.clusters(answers, labels)


def largest(shares):
    """The likeliest class, the smallest among equals."""
    return int(min(shares, key=lambda code: (-shares[code], code))) if shares else None


def line(answer, classes):
    """One answer as Pelton writes it."""
    if isinstance(answer, dict):
        return ",".join(repr(float(answer.get(code, 0.0))) for code in range(classes)) if answer else ""
    return "" if answer is None else repr(float(answer))


def main():
    order = json.loads(sys.argv[1])
    task, binary = order.get("task", order["label"]), order.get("binary", False)
    features, labels, classes = rows(order["data"], order["label"], order.get("categories", ()), order.get("rows"))
    model = eval(order["model"], names())  # noqa: S307: the bench's own words
    start = time.thread_time()
    answers = TASKS[task](model, features, labels, binary)
    seconds = time.thread_time() - start
    found = figures(task, answers, labels, classes)
    found |= {"rows": len(labels), "seconds": seconds, "rows_per_second": len(labels) / seconds}
    try:
        found["state_bytes"] = len(pickle.dumps(model))
    except Exception:  # noqa: BLE001: some of its learners cannot be written down
        found["state_bytes"] = None
    if order.get("answers"):
        with open(order["answers"], "w") as file:
            file.writelines(line(answer, len(classes)) + "\n" for answer in answers)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
