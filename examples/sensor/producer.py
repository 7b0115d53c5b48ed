"""A thermometer that reads every second: one JSON object per line, the same ones every time.

The temperature follows a wave of a minute, with a small saw-tooth on it that stands for noise.
"""

import json
import math
from datetime import datetime, timedelta, timezone

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


def main():
    for second in range(90):
        noise = (second * 7 % 11 - 5) / 4
        celsius = round(20 + 5 * math.sin(2 * math.pi * second / 60) + noise, 2)
        at = START + timedelta(seconds=second)
        print(json.dumps({"sensor": "roof", "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "celsius": celsius}))


if __name__ == "__main__":
    main()
