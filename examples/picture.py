"""Draws the result of each example as `result.svg` in its folder, from the data and the result that lie there.

    python3 examples/picture.py
"""

import json
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 96, 24, 44, 40
COLOURS = ["#3465a4", "#cc6d00", "#4e9a06", "#a40050"]
STYLE = "font-family='sans-serif' font-size='12' fill='#333'"


def rows(folder, name="result.json"):
    return [json.loads(line) for line in (HERE / folder / name).read_text().splitlines()]


def text(x, y, words, anchor="middle", more=""):
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {more}>{escape(str(words))}</text>"


def save(folder, title, parts):
    size = f"viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}'"
    head = f"<svg xmlns='http://www.w3.org/2000/svg' {size} {STYLE}>"
    ground = f"<rect width='{WIDTH}' height='{HEIGHT}' fill='white'/>"
    lines = [head, ground, text(WIDTH / 2, 24, title, more="font-size='15'"), *parts, "</svg>"]
    (HERE / folder / "result.svg").write_text("\n".join(lines) + "\n")


def bars(folder, title):
    """One lying bar for each row: a name and a number."""
    found = rows(folder)
    step = (HEIGHT - TOP - 12) / len(found)
    most = max(number for _, number in found)
    parts = []
    for place, (name, number) in enumerate(found):
        y = TOP + place * step
        width = number / most * (WIDTH - LEFT - RIGHT - 40)
        bar = f"x='{LEFT}' y='{y:.1f}' width='{width:.1f}' height='{step * 0.72:.1f}' fill='{COLOURS[0]}'"
        parts += [f"<rect {bar}/>", text(LEFT - 8, y + step * 0.55, name, "end")]
        parts.append(text(LEFT + width + 6, y + step * 0.55, number, "start"))
    save(folder, title, parts)


def groups(folder, title):
    """A group of bars for each time: rows are time, name, number."""
    found = rows(folder)
    times, names = sorted({row[0] for row in found}), sorted({row[1] for row in found})
    most = max(row[2] for row in found)
    room = (WIDTH - LEFT - RIGHT) / len(times)
    wide = room * 0.8 / len(names)
    parts = []
    for time, name, number in found:
        x = LEFT + times.index(time) * room + names.index(name) * wide
        tall = number / most * (HEIGHT - TOP - BOTTOM - 32)
        y, colour = HEIGHT - BOTTOM - tall, COLOURS[names.index(name)]
        size = f"width='{wide - 4:.1f}' height='{tall:.1f}'"
        parts += [f"<rect x='{x:.1f}' y='{y:.1f}' {size} fill='{colour}'/>", text(x + wide / 2 - 2, y - 5, number)]
    parts += [text(LEFT + place * room + room * 0.4, HEIGHT - 16, time) for place, time in enumerate(times)]
    parts += legend(names)
    save(folder, title, parts)


def legend(names):
    parts = []
    for place, name in enumerate(names):
        x = LEFT + place * 130
        parts.append(f"<rect x='{x}' y='{TOP - 6}' width='10' height='10' fill='{COLOURS[place]}'/>")
        parts.append(text(x + 16, TOP + 3, name, "start"))
    return parts


def seconds(time):
    return sum(int(part) * unit for part, unit in zip(time.split(":"), (3600, 60, 1)))


def curve(folder, title, points, line, names):
    """Dots (time, number, kind), and a line through (time, number) that is the result."""
    times = [time for time, *_ in points] + [time for time, _ in line]
    numbers = [number for _, number, _ in points]
    first, last, low, high = min(times), max(times), min(numbers), max(numbers)
    x = lambda time: LEFT + (time - first) / (last - first) * (WIDTH - LEFT - RIGHT)
    y = lambda number: HEIGHT - BOTTOM - (number - low) / (high - low) * (HEIGHT - TOP - BOTTOM - 20)
    parts = []
    for number in (low, (low + high) / 2, high):
        parts.append(text(LEFT - 10, y(number) + 4, f"{number:.1f} °C", "end"))
    for time in range(first, last + 1, 15):
        clock = f"{time // 3600:02}:{time // 60 % 60:02}:{time % 60:02}"
        parts.append(text(x(time), HEIGHT - 14, clock))
    for time, number, kind in points:
        parts.append(f"<circle cx='{x(time):.1f}' cy='{y(number):.1f}' r='2.5' fill='{COLOURS[kind]}'/>")
    path = " ".join(f"{x(time):.1f},{y(number):.1f}" for time, number in line)
    parts.append(f"<polyline points='{path}' fill='none' stroke='{COLOURS[3]}' stroke-width='2.5'/>")
    save(folder, title, parts + legend(names))


def main():
    bars("word-count", "the most frequent words")
    bars("words-per-batch", "words in each batch of four lines")
    bars("hashtags", "the five most frequent hashtags")
    bars("socket", "the most frequent words that came through the socket")
    groups("clicks", "clicks on each page, minute by minute")
    read = [(seconds(row["at"][11:19]), row["celsius"], 0) for row in rows("sensor", "readings.jsonl")]
    average = [(seconds(until), celsius) for until, celsius, _ in rows("sensor")]
    curve("sensor", "a sensor and the average of its last ten seconds", read, average, ["reading"])
    stations = ["north", "south", "west"]
    read = [
        (seconds(row["at"][11:19]), row["celsius"], place)
        for place, station in enumerate(stations)
        for row in rows("joint-average", f"{station}.jsonl")
    ]
    average = [(seconds(since) + 5, celsius) for since, celsius, _ in rows("joint-average")]
    curve("joint-average", "three stations and their joint average", read, average, stations)


if __name__ == "__main__":
    main()
