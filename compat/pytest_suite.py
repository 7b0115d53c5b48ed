"""A client's own tests under pytest: its JUnit report becomes cases."""

import xml.etree.ElementTree as xml

from suite import FAILED, ITSELF, PASSED, SKIPPED


def run(this, python, source, *arguments, env=None):
    """Runs pytest in `source`, the client's unpacked source distribution."""
    report = this.directory / "junit.xml"
    command = [python, "-m", "pytest", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={report}", *arguments]
    tail = []

    def line_read(line):
        tail.append(line)
        if "PASSED" in line or "FAILED" in line or "ERROR" in line:
            this.say("  " + line[:150])

    code = this.lines([*command, "-v"], line_read, cwd=source, env={"PYTHONDONTWRITEBYTECODE": "1", **(env or {})})
    if not report.exists():
        return this.case(ITSELF, FAILED, f"ended with code {code}\n" + "\n".join(tail[-20:]))
    for case in xml.parse(report).iter("testcase"):
        name = f"{case.get('classname').rpartition('.')[2]}::{case.get('name')}"
        verdict = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        if verdict is None:
            this.case(name, PASSED)
        else:
            outcome = SKIPPED if verdict.tag == "skipped" else FAILED
            this.case(name, outcome, " ".join((verdict.get("message") or "").split())[:400])
