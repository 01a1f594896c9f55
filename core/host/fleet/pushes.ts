import { randomUUID } from 'node:crypto';

import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { FleetPush, FleetPushBox } from '../../contract';
import type { EventBus } from '../event-bus';
import { EventPace } from '../event-pace';
import type { Log } from '../state-file';
import type { Fleet } from './fleet';
import type { ModelSources, PushedModel } from './model-sources';
import { isOver, KEPT_PUSHES } from './push-records';
import type { PushRecord, PushRecords } from './push-records';
import { ENGINE_ENDS, isAbsence, pushToBox } from './push-to-box';
import { Semaphore } from './semaphore';

export interface PushesParts {
  readonly fleet: Fleet;
  readonly sources: Pick<ModelSources, 'open'>;
  readonly records: PushRecords;
  readonly bus: Pick<EventBus, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
}

const AT_ONCE = 4;
const TELL_EVERY_MS = 250;
/** A box that is online and still breaks off each time. */
const MOST_ATTEMPTS = 5;
const PAUSE_MS = 1000;

interface ActivePush {
  push: FleetPush;
  readonly pace: EventPace;
  readonly aborts: Map<string, AbortController>;
  /** Checked once for all boxes. */
  model: Promise<PushedModel> | undefined;
}

/** Models on their way to boxes: several at once, going on when a box comes back and when this engine starts again. */
export class Pushes {
  private readonly active = new Map<string, ActivePush>();
  private readonly places = new Semaphore(AT_ONCE);
  private readonly working = new Set<Promise<void>>();
  private isClosed = false;

  constructor(private readonly parts: PushesParts) {}

  /** Goes on with what processes that have ended left unfinished. */
  async resume(): Promise<void> {
    for (const { owner: _owner, ...push } of await this.parts.records.takeOver()) {
      const boxes = push.boxes.map((each) => (isOver(each) ? each : waiting(each)));
      this.enter({ ...push, boxes });
    }
  }

  /** Newest first. */
  list(): readonly FleetPush[] {
    const others = this.parts.records.list().filter(({ id }) => !this.active.has(id));
    const all = [...others.map(withoutOwner), ...[...this.active.values()].map(({ push }) => push)];
    return all.sort((a, b) => b.startedMs - a.startedMs);
  }

  /** @throws SluiceError `not-found` for the model or a box; `conflict` when it is on its way there already. */
  async start(model: string, boxes: readonly string[], keepSource?: boolean): Promise<FleetPush> {
    for (const box of boxes) this.parts.fleet.box(box);
    const abort = new AbortController();
    const opened = await this.parts.sources.open(model, abort.signal);
    const wanted = [...new Set(boxes)];
    const busy = this.list().find(
      (push) => push.model === model && push.boxes.some((each) => !isOver(each) && wanted.includes(each.box)),
    );
    if (busy) {
      throw new SluiceError('conflict', `${model} is on its way there already. Wait for it, or cancel it.`, {
        push: busy.id,
      });
    }
    const totalBytes = opened.files.reduce((sum, { bytes }) => sum + bytes, 0);
    const push: FleetPush = {
      id: randomUUID(),
      model,
      startedMs: this.parts.clock.nowMs(),
      boxes: wanted.map((box) => ({ box, state: 'waiting', sentBytes: 0, totalBytes })),
      ...(keepSource !== undefined && { keepSource }),
    };
    return this.enter(push, opened);
  }

  /** @throws SluiceError `not-found`; `conflict` when another process sees to it. */
  cancel(id: string): FleetPush {
    const entry = this.active.get(id);
    if (!entry) return this.endedPush(id);
    for (const { box } of entry.push.boxes.filter((each) => !isOver(each))) {
      entry.aborts.get(box)?.abort();
      this.change(entry, box, { state: 'cancelled' });
    }
    return entry.push;
  }

  /** @throws SluiceError `not-found`; `conflict` when another process sees to it. */
  retry(id: string): FleetPush {
    const push = this.active.get(id)?.push ?? this.endedPush(id);
    const again = push.boxes.map((each) =>
      each.state === 'failed' || each.state === 'cancelled' ? waiting(each) : each,
    );
    // What still goes on is left alone: its boxes have their own controllers.
    const entry = this.active.get(id);
    if (!entry) return this.enter({ ...push, boxes: again });
    entry.model = undefined;
    const ended = push.boxes.filter(isOver).map(({ box }) => box);
    entry.push = { ...push, boxes: again };
    for (const each of again) if (ended.includes(each.box) && !isOver(each)) this.work(entry, each.box);
    this.told(entry);
    return entry.push;
  }

  /** Resolves when every box of a push has come to its end. */
  async ended(id: string): Promise<FleetPush> {
    while (this.active.get(id)?.push.boxes.some((each) => !isOver(each)) ?? false) {
      await Promise.race(this.working);
    }
    return this.active.get(id)?.push ?? this.endedPush(id);
  }

  /** What is unfinished goes on with the next engine. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const { aborts, pace } of this.active.values()) {
      pace.cancel();
      for (const abort of aborts.values()) abort.abort(ENGINE_ENDS);
    }
    await Promise.allSettled(this.working);
    await this.parts.records.settled();
  }

  private enter(push: FleetPush, model?: PushedModel): FleetPush {
    const { bus, clock } = this.parts;
    const entry: ActivePush = {
      push,
      aborts: new Map(),
      model: model && Promise.resolve(model),
      pace: new EventPace(clock, TELL_EVERY_MS, () => bus.emit('fleetPush', entry.push)),
    };
    this.forgetOld();
    this.active.set(push.id, entry);
    for (const each of push.boxes) if (!isOver(each)) this.work(entry, each.box);
    this.told(entry);
    return push;
  }

  private forgetOld(): void {
    const over = [...this.active].filter(([, { push }]) => push.boxes.every(isOver));
    for (const [id] of over.slice(0, Math.max(0, over.length - KEPT_PUSHES))) this.active.delete(id);
  }

  private work(entry: ActivePush, box: string): void {
    const abort = new AbortController();
    entry.aborts.set(box, abort);
    const working: Promise<void> = this.deliver(entry, box, abort.signal)
      .then(
        () => undefined,
        (thrown: unknown) => this.failed(entry, box, abort.signal, SluiceError.from(thrown)),
      )
      .finally(() => this.working.delete(working));
    this.working.add(working);
  }

  /** @throws SluiceError why this box will not get it. */
  private async deliver(entry: ActivePush, boxId: string, signal: AbortSignal): Promise<void> {
    const { fleet, clock } = this.parts;
    const { id, model, keepSource = true } = entry.push;
    let mostBytes = 0;
    for (let attempt = 1; ; attempt += 1) {
      await fleet.box(boxId).whenOnline(signal);
      const box = fleet.box(boxId);
      try {
        await this.places.run(async () => {
          if (signal.aborted) throw new SluiceError('cancelled', `The push of ${model} was cancelled.`);
          if (!box.isOnline) throw new SluiceError('engine-down', `${box.known.name} went away.`);
          await pushToBox({
            box,
            id,
            keepSource,
            open: () => (entry.model ??= this.parts.sources.open(model, new AbortController().signal)),
            report: (change) => {
              if (!signal.aborted) this.change(entry, boxId, change);
            },
            signal,
          });
        });
        if (!signal.aborted) this.change(entry, boxId, { state: 'done' });
        return;
      } catch (thrown) {
        const error = SluiceError.from(thrown);
        if (signal.aborted || !isAbsence(error)) throw error;
        const sentBytes = entry.push.boxes.find((each) => each.box === boxId)?.sentBytes ?? 0;
        // Only what breaks although the box stays, and gets nowhere, counts: absences may be as many as they are.
        if (!box.isOnline || sentBytes > mostBytes) attempt = 0;
        else if (attempt >= MOST_ATTEMPTS) throw error;
        mostBytes = Math.max(mostBytes, sentBytes);
        this.change(entry, boxId, { state: 'waiting' });
        await new Promise<void>((resolve) => clock.after(PAUSE_MS, resolve));
      }
    }
  }

  private failed(entry: ActivePush, box: string, signal: AbortSignal, error: SluiceError): void {
    if (this.isClosed || signal.aborted) return;
    const { name } = this.parts.fleet.list().find(({ id }) => id === box) ?? { name: box };
    this.parts.log(`fleet: push of ${entry.push.model} to ${name}: ${error.message}`);
    this.change(entry, box, { state: 'failed', error: error.toWire() });
  }

  private change(entry: ActivePush, box: string, change: Partial<FleetPushBox>): void {
    if (this.isClosed) return;
    const before = entry.push.boxes.find((each) => each.box === box);
    entry.push = {
      ...entry.push,
      boxes: entry.push.boxes.map((each) => (each.box === box ? { ...each, ...change } : each)),
    };
    if (change.state !== undefined && change.state !== before?.state) this.told(entry);
    else entry.pace.changed();
  }

  private told(entry: ActivePush): void {
    this.parts.records.save(entry.push);
    entry.pace.changed();
  }

  private endedPush(id: string): FleetPush {
    const record = this.parts.records.list().find((each) => each.id === id);
    if (!record) {
      throw new SluiceError('not-found', 'There is no such push; it may have ended long ago.', { push: id });
    }
    if (record.boxes.every(isOver)) return withoutOwner(record);
    throw new SluiceError('conflict', 'Another Sluice on this machine sees to that push: act there.', {
      push: id,
    });
  }
}

function waiting({ box, totalBytes }: FleetPushBox): FleetPushBox {
  return { box, state: 'waiting', sentBytes: 0, totalBytes };
}

function withoutOwner({ owner: _owner, ...push }: PushRecord): FleetPush {
  return push;
}
