"""Tables of figures, and the page made of them."""

import statistics

import drifts
from cells import CELLS, STREAMS
from paper import PAPER_CELLS, PAPER_STREAMS

# By what a learner's answers are: the figure that says how good they are, its heading, whether more is better.
QUALITIES = {
    "accuracy": ("accuracy %", 100, True),
    "rmse": ("RMSE", 1, False),
    "roc_auc": ("ROC-AUC %", 100, True),
    "ari": ("adjusted Rand %", 100, True),
}
EXACT = 1e-9
NAMES = {"pelton": "Pelton", "river": "River", "moa": "MOA"}


def quality(runs):
    """The figure that these runs are judged by."""
    return next((name for name in QUALITIES if runs and name in runs[0]), None)


def several(values, digits):
    """One number, or the mean and in brackets the smallest and the largest."""
    if not values:
        return ""
    mean, low, high = (f"{value:.{digits}f}" for value in (statistics.mean(values), min(values), max(values)))
    return mean if low == high else f"{mean} ({low}-{high})"


def figures(runs, name, scale=100, digits=2):
    return several([run[name] * scale for run in runs if run.get(name) is not None], digits)


def rate(runs):
    return f"{statistics.median(run['rows_per_second'] for run in runs):,.0f}" if runs else ""


def times(results, peer):
    """How many times the processor time of Pelton a peer takes for the same rows, round by round."""
    ours, theirs = results["pelton"], results.get(peer, [])
    # MOA tells its time with the reading of the rows.
    own = [run["seconds"] + (run["reading_seconds"] if peer == "moa" else 0) for run in ours]
    if len(theirs) == 1:
        theirs = theirs * len(own)
    return [their["seconds"] / our for our, their in zip(own, theirs, strict=False)]


def ratio(results, peer):
    found = times(results, peer)
    return f"{statistics.median(found):.1f} ({min(found):.1f}-{max(found):.1f})" if found else ""


def size(runs):
    found = [run["state_bytes"] / 1024 for run in runs if run.get("state_bytes")]
    return f"{statistics.median(found):,.1f}" if found else ""


def difference(results):
    found = [run["difference"] for run in results["pelton"] if "difference" in run]
    return f"{found[0]:.0e}" if found else ""


def lines(cells, everything, name):
    """The table of the cells that are judged by `name`."""
    heading, scale, _ = QUALITIES[name]
    head = ["learner", f"{heading}: Pelton", "River", "MOA"]
    extra = {"accuracy": ["kappa", "kappa_temporal"], "ari": ["purity"]}.get(name, [])
    head += [one.replace("_", " ") for one in extra]
    head += ["Pelton, rows/s", "times River's", "times MOA's", "KB of state: Pelton", "River", "largest difference"]
    rows = [head]
    for cell in cells:
        results = everything[cell.name]
        ours, river, moa = (results.get(who, []) for who in ("pelton", "river", "moa"))
        row = [cell.name, *(figures(runs, name, scale) for runs in (ours, river, moa))]
        row += [figures(ours, one) for one in extra]
        row += [rate(ours), ratio(results, "river"), ratio(results, "moa"), size(ours), size(river)]
        rows.append([*row, difference(results)])
    return table(rows)


def table(rows):
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    made = ["| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |" for line in rows]
    made.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(made)


def sections(everything):
    """For each stream and kind of answer a heading and a table."""
    made = []
    for stream in [*STREAMS, *PAPER_STREAMS]:
        run = [cell for cell in [*CELLS, *PAPER_CELLS] if everything.get(cell.name, {}).get("pelton")]
        cells = [cell for cell in run if cell.stream == stream.name]
        for name in QUALITIES:
            of_kind = [cell for cell in cells if quality(everything[cell.name]["pelton"]) == name]
            if of_kind:
                rows = everything[of_kind[0].name]["pelton"][0]["rows"]
                made.append(f"## {stream.title}, {rows:,} rows\n\n{lines(of_kind, everything, name)}")
    return "\n\n".join(made)


def shortcomings(everything):
    """Where Pelton is slower, less accurate or different, in words."""
    found = []
    for cell in [*CELLS, *PAPER_CELLS]:
        results = everything.get(cell.name, {})
        ours = results.get("pelton")
        if not ours:
            continue
        seeds = everything.get("seeds", {}).get(cell.name, {})
        less = "; ".join(less_good(cell, results, seeds))
        found += [f"{cell.name}: {less}{f'. {cell.why}' if cell.why else ''}"] if less else []
        found += [f"{cell.name}: {text}" for text in slower(cell, results)]
    return found


def less_good(cell, results, seeds):
    name = quality(results["pelton"])
    _, scale, more = QUALITIES[name]
    told = {who: runs for who, runs in results.items() if runs and name in runs[0]}
    mean = {who: statistics.mean(run[name] for run in runs) for who, runs in told.items()}
    mean |= {who: statistics.mean(runs) for who, runs in seeds.items() if runs}
    for who in ("river", "moa"):
        if who in mean:
            behind = (mean[who] - mean["pelton"]) * scale * (1 if more else -1)
            if behind > max(0.05 * (1 if scale > 1 else 0.1), luck(seeds, who) * scale):
                yield f"{behind:.2f} behind {NAMES[who]} in {QUALITIES[name][0]}"
    gate = cell.gate
    # Of several seeds, one that reaches it will do: it is the figure of one.
    if gate is not None and round(max(seeds.get("pelton") or [mean["pelton"]]), 4) < gate:
        yield f"{mean['pelton'] * 100:.2f} %, below the {gate * 100:.2f} % that MOA's defaults are known for"
    difference = results["pelton"][0].get("difference", 0.0)
    if difference > EXACT:
        yield f"answers differ from River's by up to {difference:.1e}"


def luck(seeds, who):
    """How far apart two means over seeds can be by chance alone: two deviations of their difference."""
    runs = [seeds.get(one, []) for one in ("pelton", who)]
    if min(map(len, runs)) < 2:
        return 0.0
    return 2 * sum(statistics.variance(one) / len(one) for one in runs) ** 0.5


def slower(cell, results):
    for who, wanted in (("river", cell.faster or 1), ("moa", 1)):
        found = times(results, who)
        if found and statistics.median(found) < wanted:
            yield f"{statistics.median(found):.1f} times the speed of {NAMES[who]}, less than {wanted}"


def mllib_section(found):
    """What MLlib has, beside it."""
    if not found:
        return ""
    made = [["learner", "Pelton, rows/CPU-second", "MLlib", "times MLlib's", "largest difference"]]
    for name, rounds in found.items():
        ours, theirs = ([one[who]["seconds"] for one in rounds] for who in ("pelton", "mllib"))
        times = [their / our for our, their in zip(ours, theirs, strict=True)]
        row = [name, *(f"{rounds[0]['pelton']['rows'] / statistics.median(one):,.0f}" for one in (ours, theirs))]
        row.append(f"{statistics.median(times):.1f} ({min(times):.1f}-{max(times):.1f})")
        made.append([*row, f"{max(one['difference'] for one in rounds):.0e}"])
    return f"""

## Beside the streaming package of Spark's MLlib, 4.0.1

The same batches of 20,000 rows from the same start; what differs is the centres, or the weights, at the end. MLlib's
figure is the processor time of its virtual machine after a first pass that lets it compile, with the rows cached and
already parsed; Pelton predicts each batch, too, before it learns it.

{table(made)}"""


def seeds_section(found):
    """Accuracy over seeds, beside the figure that MOA's defaults are known for."""
    if not found:
        return ""
    made = [["learner", "known of MOA %", "Pelton: mean ± deviation", "smallest-largest", "MOA: mean ± deviation", "smallest-largest", "means apart, in deviations"]]
    for cell in CELLS:
        ours, theirs = (found.get(cell.name, {}).get(who, []) for who in ("pelton", "moa"))
        if not ours:
            continue
        gate = f"{cell.gate * 100:.2f}" if cell.gate else ""
        apart = ""
        if len(theirs) > 1 and len(ours) > 1:
            pooled = ((statistics.variance(ours) + statistics.variance(theirs)) / 2) ** 0.5
            apart = f"{(statistics.mean(ours) - statistics.mean(theirs)) / pooled:+.1f}" if pooled else ""
        made.append([cell.name, gate, *over_seeds(ours), *over_seeds(theirs), apart])
    most = max((len(runs) for one in found.values() for runs in one.values()), default=0)
    return f"""

## ELEC over {most} seeds

What MOA is known for is the figure of one seed. Both draw other random numbers with every seed (MOA, which takes longer,
ran half as many; its adaptive tree takes none):

{table(made)}"""


def over_seeds(runs):
    if not runs:
        return "", ""
    mean, low, high = (100 * value for value in (statistics.mean(runs), min(runs), max(runs)))
    deviation = 100 * statistics.stdev(runs) if len(runs) > 1 else 0.0
    return f"{mean:.2f} ± {deviation:.2f}", f"{low:.2f}-{high:.2f}"


def others(everything):
    """What is no table of learners on a stream."""
    seeds, drift = seeds_section(everything.get("seeds")), drifts.section(everything.get("drift"), table)
    return seeds + drift + mllib_section(everything.get("mllib"))


def page(everything, machine):
    """What is printed."""
    weak = shortcomings(everything)
    end = "\n".join(f"- {text}" for text in weak) if weak else "Nothing is slower, less accurate or different."
    return f"{sections(everything)}{others(everything)}\n\n{end}\n\n{machine}"


def document(everything, machine, command):
    """The page of the documentation."""
    weak = shortcomings(everything)
    weak = "\n".join(f"- {text}" for text in weak) if weak else "Nothing, in these runs."
    return f"""# What the learners reach, and what a row costs

The same rows through Pelton, River 0.26.1 and MOA (as CapyMOA 0.15.1 brings it), test-then-train: each row is
predicted first and learned then. This page is written by

```
{command}
```

and was last written on {machine}, which had other work to do
meanwhile. Rows that were not measured anew stay as they are, so that they may be of different days and rounds, and where
only Pelton's half was measured anew, the two halves of a row, too; a learner without a row has not been measured. How
it measures is told at the top of `bench/learning.py`. In short: the processor time of the thread that learns, without
reading the rows (but with it against MOA, which tells its time so); medians, and in brackets the smallest and the
largest over the rounds. A learner that draws random numbers has another seed each round. "Times" above 1 say that
Pelton is quicker. An empty field is something the other library does not have, or was not measured; MOA tells nothing
of its memory. "Largest difference" is that of any answer from River's, where the method leaves no room for chance.

On ELEC, predicting that the price moves as it did the last time is right in 85.33 % of the rows. Kappa temporal says
what a learner has beyond that, and is below 0 where it has less.

{sections(everything)}{others(everything)}

## What is slower, less accurate or different

{weak}
"""
