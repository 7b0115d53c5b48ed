"""How good answers were, by the formulas that Pelton's program for streams uses."""

from collections import Counter, defaultdict


def beyond(right, base):
    """What part of the way from `base` to all right was made."""
    return (right - base) / (1 - base) if base < 1 else 0.0


def classes(answers, labels):
    rows = len(labels)
    right = sum(answer == label for answer, label in zip(answers, labels, strict=True)) / rows
    unchanged = sum(before == label for before, label in zip([None, *labels[:-1]], labels, strict=True)) / rows
    answered, actual = Counter(answers), Counter(labels)
    chance = sum(answered[label] * actual[label] for label in actual) / rows**2
    return {
        "accuracy": right,
        "kappa": beyond(right, chance),
        "kappa_temporal": beyond(right, unchanged),
        "kappa_majority": beyond(right, max(actual.values()) / rows),
        "no_change": unchanged,
    }


def numbers(answers, labels):
    errors = [(answer or 0.0) - label for answer, label in zip(answers, labels, strict=True)]
    mean = sum(labels) / len(labels)
    squared = sum(error * error for error in errors)
    return {
        "mae": sum(abs(error) for error in errors) / len(labels),
        "rmse": (squared / len(labels)) ** 0.5,
        "r2": 1 - squared / sum((label - mean) ** 2 for label in labels),
    }


def strangeness(answers, strange):
    """The area under the ROC curve, half for equals."""
    pairs = sorted((answer, odd) for answer, odd in zip(answers, strange, strict=True) if answer is not None)
    equals = defaultdict(lambda: [0, 0])
    for answer, odd in pairs:
        equals[answer][odd] += 1
    below = won = 0.0
    for answer in sorted(equals):
        usual, odd = equals[answer]
        won += odd * (below + usual / 2)
        below += usual
    odd = len(pairs) - below
    return {"roc_auc": won / (odd * below) if odd and below else 0.5}


def clusters(answers, labels):
    pairs = Counter((answer, label) for answer, label in zip(answers, labels, strict=True) if answer is not None)
    total = sum(pairs.values())
    by_cluster, by_label, most = Counter(), Counter(), Counter()
    for (cluster, label), count in pairs.items():
        by_cluster[cluster] += count
        by_label[label] += count
        most[cluster] = max(most[cluster], count)

    def together(counts):
        return sum(count * (count - 1) // 2 for count in counts.values())

    possible = total * (total - 1) // 2
    expected = together(by_cluster) * together(by_label) / possible if possible else 0.0
    highest = (together(by_cluster) + together(by_label)) / 2
    ari = (together(pairs) - expected) / (highest - expected) if highest != expected else 1.0
    return {"answered": total, "purity": sum(most.values()) / total if total else 0.0, "ari": ari}
