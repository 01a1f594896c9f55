import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';

import { formatBytes } from '../../base';
import type { Provenance } from '../../report';
import { appVersion } from '../app-root';

export interface ProvenanceParts {
  readonly appRoot: string;
  readonly nowMs: number;
  /** What makes the report again. */
  readonly command?: string;
  readonly more?: Readonly<Record<string, string>>;
}

/** This machine and this Sluice. */
export function provenanceOf({ appRoot, nowMs, command, more }: ProvenanceParts): Provenance {
  const commit = commitOf(appRoot);
  return {
    madeAt: new Date(nowMs).toISOString(),
    version: appVersion(appRoot),
    machine: `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${formatBytes(totalmem())} of memory, ${type()} ${release()}`,
    ...(commit !== undefined && { commit }),
    ...(command !== undefined && { command }),
    ...(more && { more }),
  };
}

/** An installed package has no repository, and one around it is not Sluice's. */
function commitOf(appRoot: string): string | undefined {
  if (!existsSync(join(appRoot, '.git'))) return undefined;
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: appRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
