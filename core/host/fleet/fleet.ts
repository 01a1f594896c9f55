import { randomUUID } from 'node:crypto';

import { SluiceError } from '../../contract';
import type { FleetBox, NewBox, RequestName } from '../../contract';
import type { EventBus } from '../event-bus';
import { EventPace } from '../event-pace';
import type { StateFile } from '../state-file';
import { Box } from './box';
import type { BoxParts } from './box';
import type { BoxListener } from './box-listeners';
import type { BoxTokens } from './box-tokens';
import { boxAddress, fingerprintOf, secretIdOf } from './known-box';
import type { KnownBox } from './known-box';

export interface FleetParts extends Omit<BoxParts, 'onChange'> {
  readonly file: StateFile<readonly KnownBox[]>;
  readonly tokens: BoxTokens;
  readonly bus: Pick<EventBus, 'emit'>;
}

const TELL_EVERY_MS = 250;
/** Connections of a large fleet are spread over so long. */
const SPREAD_MS_PER_BOX = 10;
/** Long operations resolve when they are done; all else is over long before. */
const LONG_REQUEST_WITHIN_MS = 24 * 3_600_000;
const REQUEST_WITHIN_MS = 120_000;

/** The boxes this engine attaches to. */
export class Fleet {
  private readonly boxes = new Map<string, Box>();
  private readonly changed = new Set<string>();
  private readonly removed = new Set<string>();
  private readonly pace: EventPace;
  private watchers = 0;
  private isClosed = false;

  constructor(private readonly parts: FleetParts) {
    this.pace = new EventPace(parts.clock, TELL_EVERY_MS, () => this.tell());
    this.takeStored();
  }

  /** Boxes that another process added or removed meanwhile are taken over first. */
  list(): readonly FleetBox[] {
    this.takeStored();
    return [...this.boxes.values()].map(({ view }) => view);
  }

  /** @throws SluiceError `not-found`. */
  box(id: string): Box {
    const box = this.boxes.get(id);
    if (box) return box;
    throw new SluiceError('not-found', 'There is no such box; it may have been removed.', { box: id });
  }

  /** @throws SluiceError `bad-input`, `conflict`. */
  add({ name, url: address, token: given, certificateFingerprint }: NewBox): FleetBox {
    this.takeStored();
    const { url, host, token: inAddress } = boxAddress(address);
    const called = soundName(name ?? host);
    this.refuseName(called);
    const same = this.all().find(({ known }) => known.url === url);
    if (same) {
      throw new SluiceError('conflict', `${url} is attached already, as "${same.known.name}".`, { url });
    }
    const token = given ?? inAddress;
    const known: KnownBox = {
      id: randomUUID(),
      name: called,
      url,
      hasToken: token !== undefined,
      ...(certificateFingerprint !== undefined && {
        certificateFingerprint: fingerprintOf(certificateFingerprint),
      }),
    };
    if (token !== undefined) this.parts.tokens.hold(known.id, token);
    this.save(known.id, known);
    this.enter(known, 0);
    return this.box(known.id).view;
  }

  /** @throws SluiceError `not-found`, `bad-input`. */
  retry(id: string, token: string | undefined, certificateFingerprint: string | undefined): FleetBox {
    const box = this.box(id);
    if (token !== undefined) this.parts.tokens.hold(id, token);
    const changes = {
      ...(token !== undefined && { hasToken: true }),
      ...(certificateFingerprint !== undefined && {
        certificateFingerprint: fingerprintOf(certificateFingerprint),
      }),
    };
    if (Object.keys(changes).length > 0) {
      box.known = { ...box.known, ...changes };
      this.save(id, box.known);
    }
    box.token = this.parts.tokens.of(box.known);
    box.restart();
    return box.view;
  }

  /** @throws SluiceError `not-found`, `bad-input`, `conflict`. */
  rename(id: string, name: string): FleetBox {
    const box = this.box(id);
    const called = soundName(name);
    if (called !== box.known.name) this.refuseName(called);
    box.known = { ...box.known, name: called };
    this.save(id, box.known);
    this.changes(id);
    return box.view;
  }

  /** @throws SluiceError `not-found`. */
  remove(id: string): void {
    this.box(id);
    this.save(id, undefined);
    this.leave(id);
    this.parts.tokens.forget(id);
  }

  /** Tokens a keychain kept, by `secretIdOf`. */
  adoptTokens(tokens: Readonly<Record<string, string>>): void {
    for (const box of this.all()) {
      const token = tokens[secretIdOf(box.known.id)];
      if (token === undefined || token === box.token) continue;
      this.parts.tokens.hold(box.known.id, token);
      box.token = token;
      box.restart();
    }
  }

  /**
   * Any request but those about a fleet, answered by a box.
   * @throws SluiceError what the box throws; `bad-input`, `not-found`; `engine-down` while it is away; `timeout`.
   */
  async ask(id: string, request: RequestName, input: unknown): Promise<unknown> {
    const box = this.box(id);
    if (request.startsWith('fleet.')) {
      throw new SluiceError(
        'bad-input',
        `${request} is not passed on to a box: a fleet is attached to by one engine. Open that box's own console.`,
        { request },
      );
    }
    // Whether a box sends telemetry is for `follow` to say: others may listen on the same connection.
    if (request === 'telemetry.watch') return {};
    const isLong = typeof input === 'object' && input !== null && 'jobId' in input;
    return box.request(request, input, isLong ? LONG_REQUEST_WITHIN_MS : REQUEST_WITHIN_MS);
  }

  /** Hears all that a box tells, over its absences. @returns ends it. @throws SluiceError `not-found`. */
  follow(id: string, listener: BoxListener): () => void {
    return this.box(id).follow(listener);
  }

  /** Somebody looks at the fleet: figures are followed. @returns ends it. */
  watch(): () => void {
    this.watchers += 1;
    this.setWatched();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.watchers -= 1;
      this.setWatched();
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.pace.cancel();
    for (const box of this.all()) box.close();
    await this.parts.file.settled();
  }

  private all(): readonly Box[] {
    return [...this.boxes.values()];
  }

  private takeStored(): void {
    const stored = this.parts.file.read() ?? [];
    const ids = new Set(stored.map(({ id }) => id));
    for (const id of this.boxes.keys()) if (!ids.has(id)) this.leave(id);
    const spreadMs = stored.length * SPREAD_MS_PER_BOX;
    for (const known of stored) {
      const box = this.boxes.get(known.id);
      if (!box) this.enter(known, this.parts.random() * spreadMs);
      else if (box.known.name !== known.name) {
        box.known = known;
        this.changes(known.id);
      }
    }
  }

  private enter(known: KnownBox, afterMs: number): void {
    const box = new Box(known, this.parts.tokens.of(known), {
      ...this.parts,
      onChange: () => this.changes(known.id),
    });
    this.boxes.set(known.id, box);
    this.removed.delete(known.id);
    box.setWatched(this.watchers > 0);
    box.start(afterMs);
    this.changes(known.id);
  }

  private leave(id: string): void {
    this.boxes.get(id)?.close();
    this.boxes.delete(id);
    this.changed.delete(id);
    this.removed.add(id);
    this.pace.changed();
  }

  private setWatched(): void {
    for (const box of this.all()) box.setWatched(this.watchers > 0);
  }

  private changes(id: string): void {
    this.changed.add(id);
    this.pace.changed();
  }

  private tell(): void {
    const changed = [...this.changed].flatMap((id) => this.boxes.get(id)?.view ?? []);
    const removed = [...this.removed];
    this.changed.clear();
    this.removed.clear();
    if (this.isClosed || changed.length + removed.length === 0) return;
    this.parts.bus.emit('fleet', { changed, removed });
  }

  private save(id: string, known: KnownBox | undefined): void {
    this.parts.file.change((stored = []) => {
      if (!known) return stored.filter((each) => each.id !== id);
      const isThere = stored.some((each) => each.id === id);
      return isThere ? stored.map((each) => (each.id === id ? known : each)) : [...stored, known];
    });
  }

  private refuseName(name: string): void {
    if (!this.all().some(({ known }) => known.name === name)) return;
    throw new SluiceError(
      'conflict',
      `A box called "${name}" exists; choose another name, or remove that one first.`,
      { name },
    );
  }
}

function soundName(name: string): string {
  const trimmed = name.trim();
  if (trimmed !== '') return trimmed;
  throw new SluiceError('bad-input', 'Name: expected a name for the box, found none.');
}
