// From strokes to the image the pipeline expects, the way the data set was made: a size-normalised bitmap of
// 32x32 dots, and each pixel the number of dots that are on in its block of 4x4, so 0 to 16.
// (E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", 1998.)

export interface Dot {
  x: number;
  y: number;
}
export type Stroke = Dot[];

const BLOCK = 4;
/** Every digit of the data set covers about this share of its field, a 1 no less than an 8: thin figures have fat lines. */
const INK = 0.29;
/** Pen widths in dots, tried from thin to fat until there is enough ink. */
const PENS = [3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7];
/** A dash is not blown up to a bar that fills the field. */
const SCALE_MAX = 2.2;

/** Values 0..16, row by row. Strokes are in a square of side 1. */
export function rasterise(strokes: readonly Stroke[], width: number, height: number): number[] {
  const canvas = document.createElement("canvas");
  canvas.width = width * BLOCK;
  canvas.height = height * BLOCK;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let values = new Array<number>(width * height).fill(0);
  if (!context) return values;
  for (const pen of PENS) {
    values = count(context, strokes, pen);
    const ink = values.reduce((sum, value) => sum + value, 0) / (canvas.width * canvas.height);
    if (ink >= INK) break;
  }
  return values;
}

/** Draws with this pen and counts the dots of each block. */
function count(context: CanvasRenderingContext2D, strokes: readonly Stroke[], pen: number): number[] {
  const { width: columns, height: rows } = context.canvas;
  context.clearRect(0, 0, columns, rows);
  context.lineWidth = pen;
  drawStrokes(context, strokes, normalise(strokes, columns, rows, pen));
  const alpha = context.getImageData(0, 0, columns, rows).data;
  const width = columns / BLOCK;
  const values = new Array<number>(width * (rows / BLOCK)).fill(0);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      if (alpha[(y * columns + x) * 4 + 3]! < 128) continue;
      values[Math.floor(y / BLOCK) * width + Math.floor(x / BLOCK)]! += 1;
    }
  }
  return values;
}

/** Round ends and joints; a stroke of one dot is a dot. */
export function drawStrokes(
  context: CanvasRenderingContext2D,
  strokes: readonly Stroke[],
  place: (dot: Dot) => Dot,
): void {
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) {
    if (stroke.length === 0) continue;
    context.beginPath();
    stroke.map(place).forEach((dot, i) => (i === 0 ? context.moveTo(dot.x, dot.y) : context.lineTo(dot.x, dot.y)));
    if (stroke.length === 1) {
      const { x, y } = place(stroke[0]!);
      context.lineTo(x + 0.01, y);
    }
    context.stroke();
  }
}

/** Fits what was drawn into the field, keeping its proportions, centred. */
function normalise(strokes: readonly Stroke[], columns: number, rows: number, pen: number): (dot: Dot) => Dot {
  const dots = strokes.flat();
  const xs = dots.map((dot) => dot.x);
  const ys = dots.map((dot) => dot.y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const fit = Math.min((rows - pen) / Math.max(bottom - top, 1e-6), (columns - pen) / Math.max(right - left, 1e-6));
  const scale = Math.min(fit, SCALE_MAX * Math.min(columns, rows));
  const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2];
  return ({ x, y }) => ({ x: (x - middleX) * scale + columns / 2, y: (y - middleY) * scale + rows / 2 });
}
