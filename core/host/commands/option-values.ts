import { InvalidArgumentError } from 'commander';

import { parseBytes } from '../../base';

const MOST = 0xffff_ffff;

/** Sizes, more than nothing. */
export function bytesOf(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new InvalidArgumentError('Expected bytes, or a size like 64MiB.');
}

export function countOf(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MOST) return value;
  throw new InvalidArgumentError('Expected a whole number from 1.');
}

export function wholeOf(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= MOST) return value;
  throw new InvalidArgumentError('Expected a whole number from 0.');
}

export function positiveOf(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

export function ratioOf(text: string): number {
  const ratio = Number(text);
  if (ratio > 1 && Number.isFinite(ratio)) return ratio;
  throw new InvalidArgumentError('Expected a number above 1.');
}

export function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}

/** Separated by commas; empty ones are left out. */
export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
