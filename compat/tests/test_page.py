"""The page in a real browser, on the real program with the demo's pipeline."""

import csv
import json
import os
import shutil
import socket
import socketserver
import threading
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from server import Server, until

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
IMAGES = 400
# The model places its first centres when it has seen 10 images per cluster; until then it has no answer.
FIRST = 120
WAIT_MS = 30_000
# A 2 in one stroke, in parts of the field's side.
TWO = [(0.3, 0.3), (0.38, 0.2), (0.5, 0.16), (0.63, 0.2), (0.68, 0.32), (0.62, 0.46), (0.46, 0.64), (0.3, 0.84), (0.7, 0.84)]

pytestmark = pytest.mark.timeout(180)


class Demo(Server):
    """A server whose page shows the gallery of `examples/digits`."""

    GALLERY = {
        "enrol": "enrol",
        "placed": "placed",
        "uploads": "uploads",
        "assigned": "assigned",
        "labels": "labels",
        "model": "segments",
        "raw_model": "segments_raw",
        "width": 8,
        "height": 8,
    }

    def __init__(self, directory):
        super().__init__(directory, self.GALLERY)

    def write_settings(self):
        path = self.directory / "pelton.toml"
        path.write_text("\n".join(["[gallery]", *(f"{key} = {json.dumps(value)}" for key, value in self.GALLERY.items()), ""]))
        return path

    def url(self, path="/"):
        return f"{self.http if '://' in self.http else 'http://' + self.http}{path}"

    def post(self, path, body):
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url(path), data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def get(self, path):
        with urllib.request.urlopen(self.url(path), timeout=30) as answer:
            return json.load(answer)

    def make_pipeline(self):
        from kafka import KafkaAdminClient

        admin = KafkaAdminClient(bootstrap_servers=self.kafka)
        names = ("enrol", "placed", "uploads", "assigned", "labels")
        admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1} for name in names}, wait_for_metadata=True)
        admin.close()
        sql = (DIGITS / "pipeline.sql").read_text().replace("'signature.onnx'", f"'{DIGITS / 'signature.onnx'}'")
        self.post("/api/sql", {"sql": sql})

    def play(self, count):
        """Enrols that many images: first what the model needs to begin, then the rest."""
        rows = list(digits(count))
        self.enrol(rows[:FIRST])
        until(lambda: self.learned() >= FIRST, "the model has begun", 60)
        self.enrol(rows[FIRST:])
        until(lambda: self.learned() >= count, "every image is learned", 60)
        until(lambda: self.get("/api/scores")["answered"] >= count, "every image is placed", 60)

    def learned(self):
        return {model["name"]: model["rows_learned"] for model in self.get("/api/models")}["segments"]

    def enrol(self, rows):
        labels = [{"id": row["id"], "label": row["label"]} for row in rows]
        images = [{"id": row["id"], "pixels": row["pixels"]} for row in rows]
        self.post("/api/topics/labels/records", labels)
        for at in range(0, len(images), 50):
            self.post("/api/topics/enrol/records", images[at : at + 50])


def digits(count):
    with open(DIGITS / "stream.csv", newline="") as file:
        for _, row in zip(range(count), csv.DictReader(file)):
            yield {"id": row["id"], "label": row["label"], "pixels": [float(row[f"p{at}"]) for at in range(64)]}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    demo = Demo(tmp_path_factory.mktemp("page")).start()
    try:
        demo.make_pipeline()
        demo.play(IMAGES)
        yield demo
    finally:
        demo.close()


@pytest.fixture(scope="module")
def chromium():
    program = os.environ.get("PELTON_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail("Chromium is missing: install it with `apt-get install chromium`, or name one in PELTON_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens the page, and fails the test for every word on the console and every request that goes elsewhere."""
    contexts, complaints = [], []

    def visit(url, scheme="light", width=1280, quiet=True, **options):
        context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        origin = url.rstrip("/")
        page.on("request", lambda r: None if r.url.startswith(origin) else complaints.append(f"asks for {r.url}"))
        page.on("pageerror", lambda error: complaints.append(f"throws {error}"))
        if quiet:
            page.on("console", lambda message: complaints.append(f"says {message.text}"))
        page.goto(url)
        page.wait_for_selector("#link[data-state=live]")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def draw(page, points):
    pad = page.get_by_label("Field to draw a digit on")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def inked(page, selector):
    """Whether anything is drawn on this canvas."""
    return page.eval_on_selector(
        selector, "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 0)"
    )


def test_galleries_fill_with_what_was_enrolled(demo, visit):
    page = visit(demo.url())
    cards = page.locator(".cluster")
    expect(cards).to_have_count(10)
    told = {cluster["segment"]: cluster for cluster in demo.get("/api/scores")["clusters"]}
    for segment, cluster in told.items():
        card = page.locator(f"#cluster-{segment}")
        expect(card.locator(".cluster-size")).to_have_text(f"{cluster['size']} image{'s' if cluster['size'] != 1 else ''}")
        expect(card.locator(".cluster-majority b")).to_have_text(cluster["labels"][0][0])
        assert inked(page, f"#cluster-{segment} .mean")
        assert inked(page, f"#cluster-{segment} .members canvas")
    assert sum(cluster["size"] for cluster in told.values()) >= IMAGES - FIRST, "only the first images come before the model"
    expect(page.locator(".chart canvas").first).to_be_visible()
    purity = demo.get("/api/scores")["all"]["purity"]
    expect(page.locator(".tile", has_text="Purity").locator(".tile-value")).to_have_text(f"{purity * 100:.1f} %")


def test_what_is_drawn_is_answered_through_the_log(demo, visit):
    page = visit(demo.url())
    before = demo.get("/api/status")
    ends = {topic["name"]: topic["records"] for topic in before["topics"]}
    ask = page.get_by_role("button", name="Which cluster?")
    expect(ask).to_be_disabled()
    draw(page, TWO)
    assert inked(page, ".seen canvas")
    ask.click()
    expect(page.locator(".verdict")).to_be_visible()
    letter = page.locator(".verdict b").inner_text()
    chosen = page.locator(".cluster.chosen")
    expect(chosen).to_have_count(1)
    expect(chosen.locator("h3")).to_have_text(letter)
    expect(page.locator(".answer")).to_contain_text("Answered in")
    after = {topic["name"]: topic["records"] for topic in demo.get("/api/status")["topics"]}
    assert after["uploads"] == ends["uploads"] + 1 and after["assigned"] == ends["assigned"] + 1
    assert after["enrol"] == ends["enrol"], "a question is not learned"
    # The 2 has the majority where it fell: the network knows the hand of others.
    expect(page.locator(".verdict")).to_contain_text("mostly holds 2")


def test_the_keyboard_can_draw_and_ask(demo, visit):
    page = visit(demo.url())
    pad = page.get_by_label("Field to draw a digit on")
    pad.focus()
    page.keyboard.press("Space")
    for _ in range(9):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".verdict")).to_have_count(0)
    expect(page.locator(".cluster.chosen")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_reads_well_in_both_colours_and_widths(demo, visit, tmp_path, scheme, width):
    page = visit(demo.url(), scheme, width)
    expect(page.locator(".cluster")).to_have_count(10)
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 0
    low = page.evaluate(CONTRAST)
    assert low == [], f"too little contrast: {low}"
    page.screenshot(path=tmp_path / f"page-{scheme}-{width}.png", full_page=True)
    background = "getComputedStyle(document.body).backgroundColor"
    first = page.evaluate(background)
    page.get_by_role("button", name="colours").click()
    assert page.evaluate(background) != first
    page.reload()
    page.wait_for_selector("#link[data-state=live]")
    assert page.evaluate(background) != first, "the choice is kept"


def test_reduced_motion_is_respected(demo, visit):
    page = visit(demo.url(), reduced_motion="reduce")
    page.wait_for_selector(".arrival")
    assert page.eval_on_selector(".arrival", "e => getComputedStyle(e).animationName") == "none"


def test_a_restart_is_noticed_and_the_model_goes_on(tmp_path, visit):
    server = Demo(tmp_path).start()
    try:
        server.make_pipeline()
        server.play(2 * FIRST)
        learned = server.learned()
        with Relay(server) as relay:
            # The browser itself reports the connections that fail meanwhile.
            page = visit(relay.url, quiet=False)
            server.kill()
            page.wait_for_selector("#link[data-state=lost]")
            expect(page.locator(".notice")).to_contain_text("connects again by itself")
            server.start()
            page.wait_for_selector("#link[data-state=live]")
            expect(page.locator(".notice")).to_contain_text(f"{learned} rows learned")
            expect(page.locator(".cluster")).not_to_have_count(0)
            draw(page, TWO)
            page.get_by_role("button", name="Which cluster?").click()
            expect(page.locator(".verdict")).to_be_visible()
    finally:
        server.close()


def test_without_a_gallery_it_shows_what_runs(server, visit):
    address = server.http if "://" in server.http else f"http://{server.http}"
    page = visit(address)
    expect(page.locator("h1")).to_contain_text("live")
    expect(page.locator(".draw")).to_be_hidden()
    expect(page.get_by_role("heading", name="Topics", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Queries", exact=True)).to_be_visible()


class Relay:
    """One address for a server that gets a new one with every start."""

    def __init__(self, server):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                host, port = server.url("").rsplit("/", 1)[-1].split(":")
                try:
                    other = socket.create_connection((host, int(port)), timeout=30)
                except OSError:
                    return
                with other:
                    back = threading.Thread(target=copy, args=(other, self.request), daemon=True)
                    back.start()
                    copy(self.request, other)
                    back.join(30)

        class Threads(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self.server = Threads(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


# Every text of its own against the colour behind it: WCAG's 4.5, or 3 for large text.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const low = [];
  for (const element of document.querySelectorAll("main *, header *, footer *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(element);
    if (!own || !element.checkVisibility() || element.matches(":disabled")) continue;
    const [a, b] = [light(rgb(style.color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 600);
    if (ratio < (large ? 3 : 4.5)) low.push(`${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return low;
}"""
