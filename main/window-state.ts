import { readFileSync, renameSync, writeFileSync } from 'node:fs';

import { z } from 'zod';

import { refuseNewer } from '../core/contract';

/** Outer bounds in device-independent pixels. */
export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface WindowState {
  /** Bounds of the window when it is not maximised; absent before the first close. */
  readonly bounds?: Bounds;
  readonly maximized: boolean;
}

export const MIN_WINDOW_SIZE = { width: 1024, height: 640 };
const DEFAULT_STATE: WindowState = { maximized: false };

const FILE_VERSION = 1;
const integer = z.number().int();
const stateSchema = z.object({
  bounds: z
    .object({ x: integer, y: integer, width: integer.positive(), height: integer.positive() })
    .optional(),
  maximized: z.boolean(),
});

/** The remembered state, or the default when the file is absent or unusable (it is then simply written anew). */
export function readWindowState(file: string): WindowState {
  try {
    const parsed = stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.bounds === undefined
      ? { maximized: parsed.maximized }
      : { bounds: parsed.bounds, maximized: parsed.maximized };
  } catch {
    return DEFAULT_STATE;
  }
}

/**
 * Writes through a temporary file, so that a crash leaves the old state or the new.
 * @throws SluiceError `unsupported` when a newer Sluice wrote the old one, which is then left alone; on I/O errors.
 */
export function writeWindowState(file: string, state: WindowState): void {
  refuseNewer(jsonIn(file), 'version', { path: file, what: 'the place of the window', known: FILE_VERSION });
  const temporary = `${file}.new`;
  writeFileSync(temporary, JSON.stringify({ version: FILE_VERSION, ...state }));
  renameSync(temporary, file);
}

/** Undefined for what is not there or can't be read: it may be written anew. */
function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Bounds that can be reached: at least the minimum size, with a title bar's worth on one of the displays' work areas. */
export function usableBounds(bounds: Bounds | undefined, displays: readonly Bounds[]): Bounds | undefined {
  if (bounds === undefined) return undefined;
  const visible = displays.some(
    (display) =>
      bounds.x + bounds.width > display.x + 100 &&
      bounds.x < display.x + display.width - 100 &&
      bounds.y >= display.y - 10 &&
      bounds.y < display.y + display.height - 40,
  );
  if (!visible) return undefined;
  return {
    ...bounds,
    width: Math.max(bounds.width, MIN_WINDOW_SIZE.width),
    height: Math.max(bounds.height, MIN_WINDOW_SIZE.height),
  };
}
