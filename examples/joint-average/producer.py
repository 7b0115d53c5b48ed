"""One of three weather stations: JSON objects, one per line, the same ones every time.

    producer.py north|south|west

All read every two seconds. `north` sends at once, `south` in bursts of ten seconds, `west` late and in no order. No
reading is more than fifteen seconds late.
"""

import json
import sys
from datetime import datetime, timedelta, timezone

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
BASE = {"north": 8, "south": 14, "west": 11}


def sent(station, second):
    """When a reading of this second goes out."""
    if station == "south":
        return second // 10 * 10 + 10
    if station == "west":
        return second + second * 5 % 13
    return second


def main():
    station = sys.argv[1]
    readings = []
    for second in range(0, 60, 2):
        celsius = BASE[station] + second * 3 % 7 / 2
        at = START + timedelta(seconds=second)
        readings.append((sent(station, second), at, celsius))
    for _, at, celsius in sorted(readings):
        reading = {"station": station, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "celsius": celsius}
        print(json.dumps(reading))


if __name__ == "__main__":
    main()
