"""The activity log of a website: one JSON object per line, the same ones every time.

Visitors look at pages, scroll and click. Some events reach the log up to 20 seconds late.
"""

import json
from datetime import datetime, timedelta, timezone

PAGES = ["/", "/shop", "/shop/cart", "/help"]
ACTIONS = ["view", "click", "scroll", "click"]
START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


def events():
    for number in range(240):
        at = START + timedelta(seconds=number + number * 7 % 5)
        late = 20 if number % 11 == 0 else 0
        page = PAGES[(number * number // 7 + number // 60) % 10 % len(PAGES)]
        yield number + late, {
            "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "user": f"u{number * 13 % 23}",
            "page": page,
            "action": ACTIONS[number * 3 % 7 % len(ACTIONS)],
        }


def main():
    for _, event in sorted(events(), key=lambda pair: pair[0]):
        print(json.dumps(event))


if __name__ == "__main__":
    main()
