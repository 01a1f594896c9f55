import { resolve } from 'node:path';

import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import { parseBytes } from '../../../base';
import type { LabPlace } from '../../lab/lab-connection';

/** Given before or behind the subcommand. */
export function placeOf(command: Command): LabPlace {
  const { labDir } = command.optsWithGlobals<{ labDir?: string }>();
  return labDir === undefined ? {} : { labDir: resolve(labDir) };
}

export function bytesOf(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new InvalidArgumentError('Expected bytes, or a size like 64MiB.');
}

export function wholeOf(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('Expected a whole number from 0.');
}

export function positiveOf(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

export function portOf(text: string): number {
  const port = wholeOf(text);
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('Expected a port from 0 to 65535.');
}
