"""`go test` of a module's own tests: its JSON events become cases, one for each test without tests of its own."""

import json

from suite import FAILED, ITSELF, PASSED, SKIPPED

OUTCOMES = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED}
# Lines that say what happened; the rest of a test's output is its own log.
TELLING = ("_test.go:", "panic:", "Error:", "Error Trace:")


def run(this, directory, *arguments, env=None):
    said, parents, code_lines = {}, set(), []

    def line_read(line):
        try:
            event = json.loads(line)
        except ValueError:
            code_lines.append(line)
            return
        name, action = event.get("Test"), event["Action"]
        if name is None:
            return
        if action == "run":
            if "/" in name:
                parents.add(name.rpartition("/")[0])
        elif action == "output":
            said.setdefault(name, []).append(event["Output"].strip())
        elif action in OUTCOMES and (name not in parents or action == "fail"):
            if name in parents and any(case.startswith(name + "/") and this.cases[case].outcome == FAILED for case in this.cases):
                return
            telling = [text for text in said.get(name, []) if any(word in text for word in TELLING)]
            this.case(name, OUTCOMES[action], " ".join(telling)[:500] if action != "pass" else "")

    code = this.lines(["go", "test", "-json", "-count=1", *arguments], line_read, cwd=directory, env=env)
    if code != 0 and not any(case.outcome == FAILED for case in this.cases.values()):
        this.case(ITSELF, FAILED, f"ended with code {code}\n" + "\n".join(code_lines[-20:]))
