"""Drift detectors beside River's on the same numbers: where they see drift, and what a number costs."""

import json
import statistics

import rows

# By Pelton's name: River's, and the numbers it watches.
DETECTORS = {
    "adwin": ("drift.ADWIN()", "levels"),
    "page_hinkley": ("drift.PageHinkley()", "levels"),
    "kswin": ("drift.KSWIN(seed=42)", "levels"),
    "ddm": ("drift.binary.DDM()", "errors"),
    "eddm": ("drift.binary.EDDM()", "errors"),
    "hddm_a": ("drift.binary.HDDMA()", "errors"),
    "hddm_w": ("drift.binary.HDDMW()", "errors"),
}

RIVER = """
import json, sys, time
from river import drift
with open(sys.argv[2]) as file:
    values = [float(line) for line in file.readlines()[1:]]
if sys.argv[2].endswith("errors.csv"):
    values = [value == 1.0 for value in values]
detector, drifts = eval(sys.argv[1]), []
start = time.thread_time()
for at, value in enumerate(values):
    detector.update(value)
    if detector.drift_detected:
        drifts.append(at)
seconds = time.thread_time() - start
print(json.dumps({"rows": len(values), "drifts": drifts, "seconds": seconds}))
"""


def run(bench, rounds):
    """By detector the rounds, each with Pelton's and River's."""
    found = {}
    for name, (river, kind) in DETECTORS.items():
        data = bench.place / f"{kind}.csv"
        if not data.exists():
            getattr(rows, kind)(data)
        found[name] = [
            {
                "data": kind,
                "pelton": json.loads(bench.call([bench.program, f"data={data}", f"detector={name}"])),
                "river": json.loads(bench.call([bench.river, "-c", RIVER, river, data])),
            }
            for _ in range(rounds)
        ]
    return found


def section(found, table):
    """The part of the page."""
    if not found:
        return ""
    made = [["detector", "numbers", "drifts: Pelton", "River", "at the same places", "Pelton, numbers/s", "times River's"]]
    for name, rounds in found.items():
        first = rounds[0]
        ours, theirs = first["pelton"]["drifts"], first["river"]["drifts"]
        same = len(set(ours) & set(theirs))
        times = [one["river"]["seconds"] / one["pelton"]["seconds"] for one in rounds]
        rate = statistics.median(one["pelton"]["rows"] / one["pelton"]["seconds"] for one in rounds)
        row = [name, first["data"], str(len(ours)), str(len(theirs)), "all" if ours == theirs else str(same)]
        made.append([*row, f"{rate:,.0f}", f"{statistics.median(times):.1f} ({min(times):.1f}-{max(times):.1f})"])
    return f"""

## Drift detectors, 100,000 numbers

`levels` are numbers whose middle jumps every 10,000, `errors` ones and zeros whose rate does; so there are nine changes
in either.

{table(made)}

KSWIN compares with values drawn at random, which are others here than Python's; and after an alarm it goes on with the
newest values, as its paper has it, where River begins anew."""
