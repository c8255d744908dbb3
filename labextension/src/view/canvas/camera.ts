/** Where one looks: a point of the drawing at the view's corner, and a scale. */

import type { Rect } from "../layout/types.js";

export const SCALES = { least: 0.02, most: 2.5, fit: 1.05 } as const;

export interface Camera {
  /** The point of the drawing at the top left of the view. */
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

function limited(scale: number): number {
  return Math.min(SCALES.most, Math.max(SCALES.least, scale));
}

export function panned(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.scale, y: camera.y - dy / camera.scale };
}

/** Zoom by a factor; the point of the view at `x`, `y` stays where it is. */
export function zoomed(camera: Camera, factor: number, x: number, y: number): Camera {
  const scale = limited(camera.scale * factor);
  return { scale, x: camera.x + x / camera.scale - x / scale, y: camera.y + y / camera.scale - y / scale };
}

/** Show all of a rectangle, in the middle, no larger than life. */
export function fitted(rect: Rect, view: Size, margin = 28): Camera {
  const across = (view.width - 2 * margin) / Math.max(1, rect.width);
  const down = (view.height - 2 * margin) / Math.max(1, rect.height);
  const scale = limited(Math.min(SCALES.fit, across, down));
  return centered(rect.x + rect.width / 2, rect.y + rect.height / 2, scale, view);
}

export function centered(x: number, y: number, scale: number, view: Size): Camera {
  return { scale, x: x - view.width / 2 / scale, y: y - view.height / 2 / scale };
}

/** Move as little as needed to show a rectangle with some space around. */
export function revealing(camera: Camera, rect: Rect, view: Size, margin = 40): Camera {
  const scale = Math.max(camera.scale, 0.5);
  const moved = scale === camera.scale ? camera : centered(rect.x + rect.width / 2, rect.y + rect.height / 2, scale, view);
  const [w, h, m] = [view.width / scale, view.height / scale, margin / scale];
  const x = w < rect.width + 2 * m ? rect.x - m : Math.min(Math.max(moved.x, rect.x + rect.width + m - w), rect.x - m);
  const y = h < rect.height + 2 * m ? rect.y - m : Math.min(Math.max(moved.y, rect.y + rect.height + m - h), rect.y - m);
  return { scale, x, y };
}

/** Return the camera a share of the way from one to the other; zooms are felt as factors. */
export function between(from: Camera, to: Camera, view: Size, share: number): Camera {
  if (share >= 1) return to;
  const scale = from.scale * (to.scale / from.scale) ** share;
  const middle = (camera: Camera): [number, number] => [
    camera.x + view.width / 2 / camera.scale,
    camera.y + view.height / 2 / camera.scale,
  ];
  const [[x0, y0], [x1, y1]] = [middle(from), middle(to)];
  return centered(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, scale, view);
}
