"""Pages for suites of very many cases: counted by group, and what fails most."""

import re

from jvm import ROOT
from suite import FAILED, ITSELF, PASSED, SKIPPED

DOCS = ROOT / "docs"
HEAD = """# Spark's own tests

Written by `python compat/report.py --write`; not edited by hand. Spark publishes what it tests itself with
(`spark-connect-common` and `spark-sql`, classifier `tests`, on Maven Central), and what should come of it. Here it is given
to a fresh server of ours, and so are the tests of PySpark's client, of a checkout.

- *Plans*: what Spark's Scala client sends for nearly every function and every operation on frames. *Analysed* is a plan
  when its columns are as many and are called as in the plan that Spark made of it; *carried out* when it runs.
- *SQL files*: a statement passes when schema and rows are Spark's (fractions to the last two bits; rows without ORDER BY
  in any order), or when it fails here and there. Of such errors, *same condition* counts those with Spark's name.
  The session has Spark's zone, `America/Los_Angeles`.
- *PySpark's own tests* are those of `python/pyspark/sql/tests/connect` of a checkout of Spark, with the client of PyPI:
  `compat/README.md` says how. The checkout had to be one of December 2025, when 4.2.0 was being made, so some tests wait for
  sentences that the client has since changed.

"""
ROW = re.compile(r"^\| `?([^`|]+?)`? \| (\d+) \| (\d+) \| (\d+) \|")
REASONS = 40


def group(name):
    """What stands before ` #`; a suite without groups is one."""
    return name.partition(" #")[0] if " #" in name else "all"


def counted(cases):
    """Passed, failed, skipped by group."""
    groups = {}
    for name, outcome, _ in cases:
        counts = groups.setdefault(group(name), {PASSED: 0, FAILED: 0, SKIPPED: 0})
        counts[outcome] += 1
    return groups


def pages(suites, kept):
    """Writes the pages; returns lines for the report card that lead to them."""
    lines = []
    for page in dict.fromkeys(suite.page for suite in suites if suite.page):
        text, before = [HEAD], (DOCS / page).read_text() if (DOCS / page).exists() else ""
        for suite in (suite for suite in suites if suite.page == page):
            result = kept(suite)
            text += section(suite, result) if result else written(suite, before)
        (DOCS / page).write_text("\n".join(text).rstrip() + "\n")
        names = ", ".join(f"*{suite.name}*" for suite in suites if suite.page == page)
        lines.append(f"What fails of {names} is on a [page of its own]({page}).")
    return lines


def written(suite, page):
    """The section of a suite that has not run here, as the page has it."""
    _, found, rest = page.partition(f"\n## {suite.name}\n")
    return [f"## {suite.name}", "", rest.partition("\n## ")[0].strip(), ""] if found else []


def section(suite, result):
    cases = [tuple(case) for case in result["cases"]]
    groups = counted(cases)
    lines = [f"## {suite.name}", ""]
    if len(groups) == 1:
        lines += ["| | passed | failed | skipped |", "|---|---:|---:|---:|", row("all", groups.popitem()[1])]
    else:
        lines += by_group(groups, cases)
    failures = explained(cases, suite.known) if suite.known else failing(cases, len(groups) <= 1)
    return [*lines, "", *skipped(cases), *failures, ""]


def row(name, counts):
    return f"| {name} | {counts[PASSED]} | {counts[FAILED]} | {counts[SKIPPED]} |"


def by_group(groups, cases):
    same = {}
    for name, _, detail in cases:
        if detail in ("same condition", "other condition"):
            entry = same.setdefault(group(name), [0, 0])
            entry[0] += detail == "same condition"
            entry[1] += 1
    sums = {what: sum(counts[what] for counts in groups.values()) for what in (PASSED, FAILED, SKIPPED)}
    all_same = [sum(entry[at] for entry in same.values()) for at in (0, 1)]
    # Where errors are compared, a column more.
    more = lambda entry: f" {f'{entry[0]} of {entry[1]}' if entry else ''} |" if same else ""  # noqa: E731
    lines = ["| file | passed | failed | skipped |", "|---|---:|---:|---:|"]
    if same:
        lines = [f"{lines[0]} same condition |", f"{lines[1]}---:|"]
    lines.append(row("all", sums) + more(all_same))
    for name, counts in sorted(groups.items()):
        if counts[PASSED] + counts[FAILED]:
            lines.append(row(f"`{name}`", counts) + more(same.get(name)))
    return lines


def explained(cases, known):
    """Why tests fail, by the patterns that say so; each that none explains by itself."""
    reasons, others = {}, []
    for name, outcome, detail in cases:
        if outcome == FAILED:
            found = next((why for pattern, why in known.items() if re.search(pattern, f"{name}: {detail}")), None)
            if found:
                reasons.setdefault(found, []).append(name)
            else:
                others.append((name, detail))
    lines = ["| why they fail | tests | for instance |", "|---|---:|---|"]
    for why, names in sorted(reasons.items(), key=lambda entry: -len(entry[1])):
        lines.append(f"| {why} | {len(names)} | `{names[0].partition(' #')[2]}` |")
    if others:
        lines += [f"| each for itself, below | {len(others)} | |", ""]
    return lines + [f"- `{name.replace(' #', ' ')}`: {short(detail)}" for name, detail in others]


def skipped(cases):
    reasons = {}
    for name, outcome, detail in cases:
        if outcome == SKIPPED:
            reasons.setdefault(detail, []).append(name)
    said = []
    for reason, names in sorted(reasons.items(), key=lambda entry: -len(entry[1])):
        groups = list(dict.fromkeys(group(name) for name in names))
        which = names if groups == ["all"] else groups
        more = f" and {len(which) - 6} more" if len(which) > 6 else ""
        said.append(f"- {len(names)} skipped: {reason} ({', '.join(f'`{name}`' for name in which[:6])}{more})")
    return [*said, ""] if said else []


def failing(cases, each):
    """Each failure with its reason, or the reasons that come most often."""
    failed = [(name, detail) for name, outcome, detail in cases if outcome == FAILED]
    if each:
        return [f"- `{name}`: {short(detail)}" for name, detail in failed]
    reasons = {}
    for name, detail in failed:
        reasons.setdefault(kind(detail), []).append(name)
    often = sorted(reasons.items(), key=lambda entry: (-len(entry[1]), entry[0]))[:REASONS]
    lines = ["| failing most often | statements |", "|---|---:|"]
    return lines + [f"| {reason} | {len(names)} |" for reason, names in often]


def kind(detail):
    """A failure without what belongs to the one statement only."""
    what, _, rest = detail.partition(": ")
    if what in ("schema", "rows", "client"):
        return {"schema": "another schema", "rows": "other rows", "client": "the client gives up"}[what]
    words = re.sub(r"SQLSTATE.*|JVM stacktrace.*|at Line.*|(line|column) \d+", "", rest)
    words = re.sub(r"(DATATYPE_MISMATCH|INVALID_PLAN_INPUT|INVALID_PARAMETER_VALUE)\].*", r"\1]", words)
    words = re.sub(r"`[^`]+`(\.`[^`]+`)*", "...", words) if "NOT_FOUND]" in words or "COLUMN." in words else words
    return f"{what}: {short(words)[:110]}"


def short(detail):
    """One line that Markdown shows as it stands."""
    text = " ".join(detail.split())
    text = text.partition(" SQLSTATE")[0]
    # Three of this letter mean in our own texts that something is not finished.
    return text.replace("X" * 3, "X...").replace("|", "\\|").replace("<", "&lt;")[:150].rstrip()


def fewer(suite, cases, some=False):
    """The groups of which fewer pass than the page says; of `some` groups, only those that ran."""
    path = DOCS / suite.page
    said, here = {}, False
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("## "):
            here = line == f"## {suite.name}"
        found = ROW.match(line)
        if here and found:
            said[found[1]] = int(found[2])
    found = counted([(case.name, case.outcome, case.detail) for case in cases if case.name != ITSELF])
    if "all" not in found:
        said.pop("all", None)
    if some:
        said = {name: passed for name, passed in said.items() if name in found}
    out = [f"{suite.name}: {case.detail[:120]}" for case in cases if case.name == ITSELF and case.outcome == FAILED]
    for name, passed in said.items():
        now = found.get(name, {PASSED: 0})[PASSED]
        if found and now < passed:
            out.append(f"{suite.name}: {name}: {now} passed, {passed} on the page")
    return out
