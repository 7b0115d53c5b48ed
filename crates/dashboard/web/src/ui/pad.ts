// The field to draw on: mouse, pen, finger, or the keyboard (arrows move, Space puts the pen down and lifts it).
import { h } from "./dom";
import { drawStrokes, type Dot, type Stroke } from "./raster";

const SIDE = 288;
const PEN_WIDTH = 0.105;
const STEP = 1 / 16;
const DOTS_MAX = 4_000;

export class Pad {
  readonly element: HTMLCanvasElement;
  strokes: Stroke[] = [];
  private pointer: number | null = null;
  private cursor: Dot = { x: 0.5, y: 0.25 };
  private keyboardPen = false;
  private showCursor = false;

  constructor(private readonly on: { changed(): void; ask(): void; clear(): void }) {
    this.element = h("canvas", {
      class: "pad",
      width: SIDE * 2,
      height: SIDE * 2,
      tabindex: 0,
      role: "application",
      "aria-label": "Field to draw a digit on",
      "aria-describedby": "pad-help",
    });
    this.element.addEventListener("pointerdown", (event) => this.down(event));
    this.element.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"] as const) {
      this.element.addEventListener(name, () => (this.pointer = null));
    }
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("blur", () => {
      this.showCursor = false;
      this.keyboardPen = false;
      this.repaint();
    });
  }

  clear(): void {
    this.strokes = [];
    this.keyboardPen = false;
    this.repaint();
    this.on.changed();
  }

  repaint(): void {
    const context = this.element.getContext("2d");
    if (!context) return;
    const side = this.element.width;
    context.clearRect(0, 0, side, side);
    context.strokeStyle = "#000";
    context.lineWidth = PEN_WIDTH * side;
    const place = ({ x, y }: Dot): Dot => ({ x: x * side, y: y * side });
    drawStrokes(context, this.strokes, place);
    if (!this.showCursor) return;
    const at = place(this.cursor);
    context.lineWidth = 4;
    context.strokeStyle = this.keyboardPen ? "#000" : "#888";
    context.beginPath();
    context.arc(at.x, at.y, (PEN_WIDTH * side) / 2 + 6, 0, Math.PI * 2);
    context.stroke();
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.pointer = event.pointerId;
    this.element.setPointerCapture(event.pointerId);
    this.showCursor = false;
    this.strokes.push([]);
    this.add(this.at(event));
  }

  private move(event: PointerEvent): void {
    if (event.pointerId !== this.pointer) return;
    for (const part of event.getCoalescedEvents?.() ?? []) this.add(this.at(part));
    this.add(this.at(event));
  }

  private key(event: KeyboardEvent): void {
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-STEP, 0],
      ArrowRight: [STEP, 0],
      ArrowUp: [0, -STEP],
      ArrowDown: [0, STEP],
    };
    const move = moves[event.key];
    if (move) {
      const clamp = (v: number): number => Math.min(Math.max(v, 0.06), 0.94);
      this.cursor = { x: clamp(this.cursor.x + move[0]), y: clamp(this.cursor.y + move[1]) };
      if (this.keyboardPen) this.add(this.cursor);
    } else if (event.key === " ") {
      this.keyboardPen = !this.keyboardPen;
      if (this.keyboardPen) {
        this.strokes.push([]);
        this.add(this.cursor);
      }
    } else if (event.key === "Enter") this.on.ask();
    else if (event.key === "Escape") this.on.clear();
    else return;
    event.preventDefault();
    this.showCursor = true;
    this.repaint();
  }

  private at(event: PointerEvent): Dot {
    const box = this.element.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  private add(dot: Dot): void {
    const stroke = this.strokes.at(-1);
    if (!stroke || this.strokes.reduce((n, s) => n + s.length, 0) >= DOTS_MAX) return;
    stroke.push(dot);
    this.repaint();
    this.on.changed();
  }
}
