// Small grey images. A canvas has one dot per pixel and CSS scales it; ink is black with alpha,
// and the dark theme inverts it, so a change of theme repaints nothing.
import { h } from "./dom";

export const LEVELS = 16;

/** The wire's form: one character per pixel, base 17. */
export function decode(pixels: string): Uint8Array {
  return Uint8Array.from(pixels, (c) => Math.min(parseInt(c, LEVELS + 1) || 0, LEVELS));
}

export function digit(width: number, height: number, description: string): HTMLCanvasElement {
  return h("canvas", { class: "digit", width, height, role: "img", "aria-label": description });
}

export function paint(canvas: HTMLCanvasElement, values: ArrayLike<number>): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(canvas.width, canvas.height);
  const dots = canvas.width * canvas.height;
  for (let i = 0; i < dots; i += 1) image.data[i * 4 + 3] = ((values[i] ?? 0) / LEVELS) * 255;
  context.putImageData(image, 0, 0);
}

/** Ten hues, evenly spread; the style sheet picks lightness per theme. */
export function hue(segment: number | null): string {
  return segment === null ? "0" : String((segment * 36 + 215) % 360);
}
