import { existsSync } from 'node:fs';
import { join } from 'node:path';

export function fleetFileOf(dataDir: string): string {
  return join(dataDir, 'fleet.json');
}

/** Whether there may be boxes to attach to; cheaper than loading what attaches to them. */
export function hasFleet(dataDir: string): boolean {
  return existsSync(fleetFileOf(dataDir));
}
