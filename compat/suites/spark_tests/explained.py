"""The names of the columns of a plan, read from what Spark's `explain` prints of it once it is analysed."""

import re

COLUMN = re.compile(r"#0L?$")
# A line of the tree: its depth in steps of three characters, then the operator.
LINE = re.compile(r"^((?:[ :]  )*(?:[+:]- )?)(.*)$")
OPENING, CLOSING = "([{", ")]}"
# Spark prints no more of a list than this, and how many more there are.
MORE = re.compile(r"^\.\.\. (\d+) more fields$")


class Unreadable(Exception):
    """The plan cannot be read."""


class More(int):
    """So many columns more, whose names are not printed."""


def tree(text):
    """Lines as (operator, children)."""
    root, stack = None, []
    for line in text.splitlines():
        lead, operator = LINE.match(line).groups()
        node = (operator.lstrip("'~"), [])
        depth = len(lead) // 3
        del stack[depth:]
        if stack:
            stack[-1][1].append(node)
        else:
            root = root or node
        stack.append(node)
    return root


def parts(text, separator):
    """Splits where no bracket is open."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        if character in OPENING:
            depth += 1
        elif character in CLOSING:
            depth -= 1
        elif depth == 0 and text.startswith(separator, at):
            found.append(text[start:at])
            start = at + len(separator)
    return [*found, text[start:]]


def lists(operator):
    """The lists in square brackets behind the operator's name."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(operator):
        if character == "[":
            if depth == 0:
                start = at + 1
            depth += 1
        elif character == "]":
            depth -= 1
            if depth == 0:
                found.append(operator[start:at])
    return found


def name(column):
    """`expression AS name#0`, or `name#0`. Expressions write AS in brackets only."""
    more = MORE.match(column)
    if more:
        return More(more[1])
    if not COLUMN.search(column):
        raise Unreadable(column)
    return COLUMN.sub("", parts(column, " AS ")[-1])


def names_in(text):
    # Spark puts no blank behind the commas of a relation's columns.
    return [name(column.strip()) for column in parts(text, ",")] if text else []


def columns(node):
    """The names that this operator gives away."""
    operator, children = node
    word = re.match(r"\w*", operator)[0]
    if word in ("Project", "LogicalRDD", "LocalRelation", "Relation", "SerializeFromObject", "RelationV2"):
        return names_in((lists(operator) or [""])[0])
    if word in ("Aggregate", "Expand"):
        return names_in(lists(operator)[-1])
    if word == "Range":
        return ["id"]
    if word == "StreamingRelationV2":
        return names_in(lists(operator)[-1])
    if word in ("Generate", "Window"):
        return columns(children[0]) + names_in(lists(operator)[-1 if word == "Generate" else 0])
    if word == "Join":
        left = columns(children[0])
        return left if re.match(r"Join Left(Semi|Anti)", operator) else left + columns(children[1])
    if children:
        return columns(children[0])
    raise Unreadable(operator)


def expected(text):
    """The names of a plan's columns; `More` stands for names that Spark did not print."""
    return columns(tree(text))


def difference(found, wanted):
    """What is not as Spark has it, or None."""
    count = sum(entry if isinstance(entry, More) else 1 for entry in wanted)
    if len(found) != count:
        return f"{len(found)} columns instead of {count}"
    for ours, theirs in zip(found, wanted):
        if isinstance(theirs, More):
            break
        if ours != theirs:
            return f"the column {ours!r:.150} is {theirs!r:.150} in Spark"
    return None
