"""Messages with hashtags: one JSON object per line, the same ones every time."""

import json

TAGS = ["rust", "kafka", "streams", "sql", "arrow", "learning", "spark", "latency"]
SAYING = ["reading about", "a question on", "trying out", "slides on", "still thinking about"]


def main():
    for number in range(120):
        # Popular tags come early in the list, and #latency becomes popular late.
        first = TAGS[(number * number + 3 * number) % 29 % len(TAGS)]
        second = "latency" if number > 80 and number % 3 == 0 else TAGS[number % 3]
        text = f"{SAYING[number % len(SAYING)]} #{first}"
        if second != first:
            text += f" and #{second}"
        print(json.dumps({"user": f"user{number % 17}", "text": text}))


if __name__ == "__main__":
    main()
