"""The report card: what the last runs gave, kept as JSON beside what cargo builds, written as a page of the docs."""

import json

import tally
from jvm import ROOT, cache
from suite import FAILED, ITSELF, PASSED, SKIPPED

PAGE = ROOT / "docs" / "compatibility.md"
HEAD = """# Compatibility

Written by `python compat/report.py --write`; not edited by hand. Each suite ran against a fresh server on a free port,
with the client as its registry gives it. *smoke* is our own short program in that client's language: every codec,
groups, offsets, administration, transactions; the others are the clients' own suites and programs.
"""


def results_path(name, peer):
    directory = cache() / ("results-peer" if peer else "results")
    directory.mkdir(exist_ok=True)
    return directory / (name.replace(" ", "-").replace("/", "-") + ".json")


def keep(suite, cases, seconds, peer, some=False):
    """Of `some` groups only, the others' results are kept as they are."""
    if suite.page and [(case.name, case.outcome) for case in cases] == [(ITSELF, SKIPPED)]:
        # What another machine found stays on the page.
        return
    rows = [[case.name, case.outcome, case.detail] for case in cases]
    before = kept(suite) if some and not peer else None
    if before:
        ran = {tally.group(name) for name, _, _ in rows}
        rows += [row for row in before["cases"] if tally.group(row[0]) not in ran]
        seconds = before["seconds"]
    result = {"name": suite.name, "version": suite.version, "seconds": round(seconds), "cases": rows}
    results_path(suite.name, peer).write_text(json.dumps(result, indent=1))


def kept(suite):
    path = results_path(suite.name, peer=False)
    result = json.loads(path.read_text()) if path.exists() else None
    return result if result and result["version"] == suite.version else None


def write(suites):
    """Writes the page from the kept results of these suites; what was not run here stays as the page has it."""
    before = PAGE.read_text() if PAGE.exists() else ""
    lines = [HEAD, "| suite | version | passed | failed | skipped | seconds |", "|---|---|---:|---:|---:|---:|"]
    details = []
    for suite in suites:
        result = kept(suite)
        if result is None:
            row, about = written(before, suite)
            lines.append(row or f"| {suite.name} | {suite.version} | not run | | | |")
            details += about
            continue
        counts = [sum(outcome == wanted for _, outcome, _ in result["cases"]) for wanted in (PASSED, FAILED, SKIPPED)]
        numbers = " | ".join(map(str, counts))
        lines.append(f"| {suite.name} | {suite.version} | {numbers} | {result['seconds']} |")
        details += [] if suite.page else section(suite, result)
    if any(suite.page for suite in suites):
        lines += ["", *tally.pages(suites, kept)]
    PAGE.write_text("\n".join([*lines, "", *details]).rstrip() + "\n")


def written(page, suite):
    """The row of a suite on a page, and what the page says about it."""
    row = next((line for line in page.splitlines() if line.startswith(f"| {suite.name} | {suite.version} |")), None)
    _, found, rest = page.partition(f"\n## {suite.name}\n")
    about = rest.partition("\n## ")[0].strip() if row and found else ""
    return row, [f"## {suite.name}", "", about, ""] if about else []


def section(suite, result):
    """Why something failed or was not run, for one suite."""
    lines = []
    for name, outcome, detail in result["cases"]:
        if outcome == FAILED:
            reason = suite.known.get(name) or first_line(detail) or "not yet understood"
            lines.append(f"- failed: `{name}`: {reason}")
    skipped = {}
    for name, outcome, detail in result["cases"]:
        if outcome == SKIPPED:
            skipped.setdefault(first_line(detail), []).append(name)
    for reason, names in skipped.items():
        what = f"`{names[0]}`" if len(names) == 1 else f"{len(names)} cases"
        lines.append(f"- skipped: {what}: {reason}")
    lines += [f"- left out: {what}: {reason}" for what, reason in suite.left_out.items()]
    return [f"## {suite.name}", "", *lines, ""] if lines else []


def first_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[0][:200] if lines else ""


def verdicts(suite, cases, peer, some=False):
    """What was not expected: a list of sentences, empty when all is as the suite's table says."""
    if suite.page:
        return [] if peer else tally.fewer(suite, cases, some)
    known = suite.known_on_peer if peer else suite.known
    found = []
    for case in cases:
        if case.outcome == FAILED and case.name not in known:
            found.append(f"{suite.name}: {case.name} failed: {first_line(case.detail)[:120]}")
        if case.outcome == PASSED and case.name in known:
            found.append(f"{suite.name}: {case.name} passed; take it off the list of known failures")
    names = {case.name for case in cases}
    if ITSELF not in names:
        found += [f"{suite.name}: {name} is listed as failing but did not run" for name in known if name not in names]
    return found
