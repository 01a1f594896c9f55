import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { decodeWire, encodeWire } from '../../contract';
import type { TraceColumns } from '../../contract';
import { writeFileAtomic } from '../../storage';
import type { Log } from '../state-file';

/** The latest of all processes; a trace takes 10 to 500 kB. */
const KEPT_FILES = 40;
const ENDING = '.trace';
/** Ids are made here, and name files. */
const ID = /^[\w-]{1,64}$/;

/** Written by ourselves, whole or not at all; another version's are as good as gone. */
const schema = z.object({
  version: z.literal(1),
  trace: z.object({
    runId: z.string(),
    layer: z.instanceof(Uint32Array),
    kind: z.instanceof(Uint8Array),
    startUs: z.instanceof(Float64Array),
    durationUs: z.instanceof(Float64Array),
    bytes: z.instanceof(Float64Array),
    layerNames: z.array(z.string()),
    ringAtUs: z.instanceof(Float64Array),
    ringBytes: z.instanceof(Float64Array),
    ringCapacityBytes: z.number().nonnegative(),
  }),
});

/** Spans of ended runs on disk, so that a report made later, or by another process, has its timeline. */
export class TraceFiles {
  constructor(
    private readonly folder: string,
    private readonly log: Log,
  ) {}

  /** Runs that have one. */
  ids(): ReadonlySet<string> {
    try {
      const names = readdirSync(this.folder).filter((name) => name.endsWith(ENDING));
      return new Set(names.map((name) => name.slice(0, -ENDING.length)));
    } catch {
      // No run has ended yet.
      return new Set();
    }
  }

  /** Undefined when there is none that can be used. */
  read(runId: string): TraceColumns | undefined {
    if (!ID.test(runId)) return undefined;
    try {
      const parsed = schema.safeParse(decodeWire(readFileSync(this.pathOf(runId))));
      return parsed.success ? parsed.data.trace : undefined;
    } catch {
      // Removed by another process since, or cut by a full disk: the run is shown without.
      return undefined;
    }
  }

  /** A failure is told and loses the timeline only. */
  async save(trace: TraceColumns): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true });
      await writeFileAtomic(this.pathOf(trace.runId), encodeWire({ version: 1, trace }));
      await this.removeOld();
    } catch (thrown) {
      this.log(
        `The timeline of run ${trace.runId} was not saved: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
    }
  }

  private pathOf(runId: string): string {
    return join(this.folder, `${runId}${ENDING}`);
  }

  private async removeOld(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith(ENDING));
    if (names.length <= KEPT_FILES) return;
    const dated = await Promise.all(
      names.map(async (name) => ({
        name,
        changedMs: (await stat(join(this.folder, name)).catch(() => undefined))?.mtimeMs ?? 0,
      })),
    );
    dated.sort((a, b) => b.changedMs - a.changedMs);
    for (const { name } of dated.slice(KEPT_FILES)) await rm(join(this.folder, name), { force: true });
  }
}
