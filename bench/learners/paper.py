"""Ten streams of a million rows, after those that the adaptive random forest was judged by.

Gomes et al., *Adaptive random forests for evolving data stream classification*, 2017: three drifts each, abrupt (within
50 rows) or gradual (within 50,000), wandering centres, a turning plane, and a tree that stays. The generators here draw
other numbers than MOA's, and which concepts follow each other is our choice; so rows beside MOA's on the same
rows, not beside the paper's table. River would take hours and is left out.
"""

from cells import AGRAWAL, LED, TREE, Cell, Stream, concepts

ROWS = 1_000_000
ABRUPT = "drift_every=250000 drift_width=50"
GRADUAL = "drift_every=250000 drift_width=50000"
LEDS = f"generator='{concepts('led(moved={})', [0, 3, 5, 7])}'"
SEAS = f"generator='{concepts('sea(function={})', [1, 2, 3, 4])}'"
AGRAWALS = f"generator='{concepts('agrawal(function={})', [1, 4, 7, 10])}'"
CENTERS = "generator='rbf(classes=5, speed={})'"

PAPER_STREAMS = [
    Stream("led_a", "LED, abrupt drifts", f"{LEDS} {ABRUPT}", ROWS, categories=LED),
    Stream("led_g", "LED, gradual drifts", f"{LEDS} {GRADUAL}", ROWS, categories=LED),
    Stream("sea_a", "SEA, abrupt drifts", f"{SEAS} {ABRUPT}", ROWS),
    Stream("sea_g", "SEA, gradual drifts", f"{SEAS} {GRADUAL}", ROWS),
    Stream("agr_a", "Agrawal, abrupt drifts", f"{AGRAWALS} {ABRUPT}", ROWS, categories=AGRAWAL),
    Stream("agr_g", "Agrawal, gradual drifts", f"{AGRAWALS} {GRADUAL}", ROWS, categories=AGRAWAL),
    Stream("rtg", "Random tree", "generator=random_tree", ROWS, categories=TREE),
    Stream("rbf_m", "Wandering centres, moderate", CENTERS.format(0.0001), ROWS),
    Stream("rbf_f", "Wandering centres, fast", CENTERS.format(0.001), ROWS),
    Stream("hyper", "Turning plane", "generator='hyperplane(drifting=10, change=0.001)'", ROWS),
]

ENSEMBLES = [
    ("adaptive random forest", "adaptive_random_forest", "meta.AdaptiveRandomForest"),
    ("leveraging bagging", "leveraging_bagging", "meta.LeveragingBag"),
]


def cells(stream):
    yield Cell(f"Hoeffding tree on {stream}", stream, "hoeffding_tree", moa="trees.HoeffdingTree")
    for name, algorithm, moa in ENSEMBLES:
        options = {"n_models": 10, "seed": "SEED"}
        yield Cell(f"{name} x10 on {stream}", stream, algorithm, options, moa=f"{moa} -s 10", seeded=True)


PAPER_CELLS = [cell for stream in PAPER_STREAMS for cell in cells(stream.name)]
