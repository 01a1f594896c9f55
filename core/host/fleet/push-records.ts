import { z } from 'zod';

import type { FleetPush, FleetPushBox } from '../../contract';
import { isProcessAlive, processMark } from '../../storage';
import { listOf } from '../../storage';
import type { StateFile } from '../state-file';

const boxSchema = z.object({
  box: z.string(),
  state: z.enum(['waiting', 'sending', 'importing', 'done', 'failed', 'cancelled']),
  sentBytes: z.number(),
  totalBytes: z.number(),
  error: z
    .object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) })
    .optional(),
});
const recordSchema = z.object({
  id: z.string(),
  model: z.string(),
  startedMs: z.number(),
  boxes: z.array(boxSchema),
  keepSource: z.boolean().exactOptional(),
  /** Mark of the process that sees to it. */
  owner: z.string(),
});

/** A push as it is remembered. */
export type PushRecord = FleetPush & { readonly owner: string };
export const pushesSchema = listOf(recordSchema) as unknown as z.ZodType<readonly PushRecord[]>;

/** Of those that are over. */
export const KEPT_PUSHES = 30;

export function isOver({ state }: Pick<FleetPushBox, 'state'>): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled';
}

/** Pushes of all processes on a data folder: each is seen to by one of them, and taken over when that one is gone. */
export class PushRecords {
  readonly mark = processMark();

  constructor(private readonly file: StateFile<readonly PushRecord[]>) {}

  list(): readonly PushRecord[] {
    return this.file.read() ?? [];
  }

  save(push: FleetPush): void {
    const record = { ...push, owner: this.mark };
    this.file.change((stored = []) => bounded([...stored.filter(({ id }) => id !== push.id), record]));
  }

  /** @returns those that nobody sees to, which are this process's from now on. */
  async takeOver(): Promise<readonly PushRecord[]> {
    const isLeft = (record: PushRecord): boolean => !record.boxes.every(isOver) && !this.isSeenTo(record);
    const left = this.list().filter(isLeft);
    if (left.length === 0) return [];
    this.file.change((stored = []) =>
      stored.map((record) => (isLeft(record) ? { ...record, owner: this.mark } : record)),
    );
    await this.file.settled();
    const ids = new Set(left.map(({ id }) => id));
    return this.list().filter(({ id, owner }) => ids.has(id) && owner === this.mark);
  }

  isSeenTo({ owner }: PushRecord): boolean {
    return owner === this.mark || isProcessAlive(owner);
  }

  settled(): Promise<void> {
    return this.file.settled();
  }
}

/** Those that go on are kept whatever their number. */
function bounded(records: readonly PushRecord[]): readonly PushRecord[] {
  const over = records.filter(({ boxes }) => boxes.every(isOver));
  const dropped = new Set(over.slice(0, Math.max(0, over.length - KEPT_PUSHES)));
  return records.filter((record) => !dropped.has(record));
}
