"""A page of figures brought up to date: what was measured anew takes the place of what the page says, the rest stays."""

import re

import tables


def merged(page, fresh, measured):
    """The page `fresh` with what only the older `page` has. `measured` are the learners whose figures are new: of
    them the older page is not believed any more."""
    old, new = sections(page), sections(fresh)
    made = []
    for key in [*old, *(key for key in new if key not in old)]:
        made.append(section(old.get(key), new.get(key), measured))
    return "\n\n".join(made) + "\n"


def sections(page):
    """The parts of a page by their headings, which tell apart without their numbers; the first part has none."""
    parts = re.split(r"\n+(?=## )", page.strip())
    return {re.sub(r"[\d,]+", "#", part.split("\n", 1)[0]) if part.startswith("## ") else "": part for part in parts}


def section(old, new, measured):
    if old is None or new is None:
        return old or new
    if "```" in new:
        return commands(old, new)
    if "\n- " in old or "\n- " in new:
        return bullets(old, new, measured)
    return rows(old, new)


def commands(old, new):
    """The beginning of the page, with the commands of both."""
    block = re.compile(r"```\n(.*?)\n```", re.DOTALL)
    lines = [line for text in (old, new) for line in block.search(text).group(1).splitlines()]
    return block.sub(lambda _: "```\n" + "\n".join(dict.fromkeys(lines)) + "\n```", new, count=1)


def bullets(old, new, measured):
    """A list in which each line begins with a learner."""
    heading, *_ = new.split("\n", 1)
    listed = [line for line in old.splitlines() if line.startswith("- ")]
    kept = [line for line in listed if line[2:].split(": ", 1)[0] not in measured]
    fresh = [line for line in new.splitlines() if line.startswith("- ")]
    return f"{heading}\n\n" + "\n".join(dict.fromkeys([*kept, *fresh]) or ["Nothing, in these runs."])


def rows(old, new):
    """A section with a table: row by row what is new, in the order of the older one."""
    before, after = cells(old), cells(new)
    if not before or not after:
        return new
    head, *fresh = after
    fresh = {row[0]: row for row in fresh}
    found = [fresh.pop(row[0], row) for row in before[1:]]
    lines = new.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("|"))
    last = max(place for place, line in enumerate(lines) if line.startswith("|"))
    return "\n".join([*lines[:first], tables.table([head, *found, *fresh.values()]), *lines[last + 1 :]])


def cells(section):
    """The rows of a section's table, the heading first."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("|--")]
