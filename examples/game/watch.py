"""Shows who wins: the player's accuracy in each round beside the score to beat, live in a browser or as a table.

    python examples/game/watch.py [--pelton 127.0.0.1:8080] [--port 8001] [--once]

Only the standard library. Version n of the model has learned n rounds, and was judged on the last of them before it
learned it.
"""

import argparse
import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).with_name("chart.html")


def ask(pelton, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{pelton}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def standing(pelton):
    """A row for each round: its number, the score to beat, and the player's accuracy (None before it has answered)."""
    sql = "SELECT round, score FROM game ORDER BY round"
    rounds = ask(pelton, "/api/sql", {"sql": sql})["answers"][0]["rows"]
    history = ask(pelton, "/api/models/player/history")
    player = {version["version"]: version["recent"] for version in history}
    return [{"round": number, "score": score, "player": player.get(number)} for number, score in rounds]


def table(rows):
    lines = [f"{'round':>5}  {'to beat':>7}  {'player':>7}"]
    for row in rows:
        player = "-" if row["player"] is None else f"{row['player']:.3f}"
        won = row["player"] is not None and row["player"] > row["score"]
        lines.append(f"{row['round']:>5}  {row['score']:>7.3f}  {player:>7}  {'won' if won else ''}".rstrip())
    played = [row for row in rows if row["player"] is not None]
    won = sum(row["player"] > row["score"] for row in played)
    return "\n".join([*lines, f"won {won} of {len(played)} rounds"])


class Handler(BaseHTTPRequestHandler):
    pelton = ""

    def do_GET(self):
        try:
            if self.path == "/standing":
                self.send(200, "application/json", json.dumps(standing(self.pelton)).encode())
            elif self.path == "/":
                self.send(200, "text/html; charset=utf-8", PAGE.read_bytes())
            else:
                self.send(404, "text/plain", b"there is / and /standing\n")
        except OSError as error:
            self.send(502, "text/plain", f"Pelton does not answer: {error}\n".encode())

    def send(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pelton", default="127.0.0.1:8080", help="HTTP door")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--once", action="store_true", help="print the standing and end")
    given = parser.parse_args()
    if given.once:
        print(table(standing(given.pelton)))
        return
    Handler.pelton = given.pelton
    print(f"http://127.0.0.1:{given.port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
