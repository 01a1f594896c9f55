import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { EndpointRecord, EndpointTest, NewEndpoint, RemoteTier } from '../../contract';
import { FailureBackoff } from '../../offload';
import type { EventBus } from '../event-bus';
import { listOf } from '../../storage';
import type { StateFile } from '../state-file';
import { EndpointProbe } from './endpoint-probe';
import { testEndpoint } from './endpoint-test';
import { RemoteEndpoint } from './remote-endpoint';
import type { KnownEndpoint, RemoteEndpointParts } from './remote-endpoint';

export const endpointsSchema: z.ZodType<readonly KnownEndpoint[]> = listOf(
  z.object({
    id: z.string(),
    name: z.string(),
    tier: z.enum(['edge', 'cloud']),
    url: z.string(),
    tokenKept: z.boolean(),
  }),
);

export interface EndpointsParts extends Omit<RemoteEndpointParts, 'deadlineMs'> {
  readonly file: StateFile<readonly KnownEndpoint[]>;
  readonly bus: EventBus;
  readonly clock: Clock;
  /** Look at them all the time. */
  readonly watches: boolean;
}

/** While nobody decides by it, and while a deployment runs. */
const PROBE_IDLE_MS = 5000;
const PROBE_BUSY_MS = 1000;
/** An endpoint nobody used for so long is sent one inference, so that its link and speed stay known. */
const CANARY_EVERY_MS = 10_000;
const CANARY_DEADLINE_MS = 2000;
const RETRY_AFTER_MS = 5000;
/** A trial costs no user anything, so it need not wait for longer than four times that. */
const MOST_DOUBLINGS = 2;
const DEADLINE_MS = 30_000;

/** A deployment that decides by the endpoints. */
export interface EndpointUser {
  /** From when on a response is slow; undefined while that is not known. */
  slowAfterMs(tier: RemoteTier, variantId: string): number | undefined;
}

/** The servers this box may use: what is known of them, how they are, and which may be asked now. */
export class Endpoints {
  private readonly entries = new Map<
    string,
    { readonly endpoint: RemoteEndpoint; readonly probe: EndpointProbe }
  >();
  private readonly backoff: FailureBackoff<string>;
  private removed: { readonly known: KnownEndpoint; readonly token: string | undefined } | undefined;
  private stopTimer: (() => void) | undefined;
  private probing: Promise<void> | undefined;
  private user: EndpointUser | undefined;
  private isClosed = false;

  constructor(private readonly parts: EndpointsParts) {
    this.backoff = new FailureBackoff(RETRY_AFTER_MS, () => parts.clock.nowMs(), MOST_DOUBLINGS);
    for (const known of parts.file.read() ?? []) this.enter(known);
    this.schedule(0);
  }

  list(): readonly EndpointRecord[] {
    const inUse = new Set(['edge', 'cloud'].map((tier) => this.up().find((each) => each.tier === tier)?.id));
    return this.all().map((endpoint) => ({
      id: endpoint.id,
      name: endpoint.known.name,
      tier: endpoint.tier,
      url: endpoint.known.url,
      token: endpoint.token,
      health: endpoint.health,
      inUse: inUse.has(endpoint.id),
    }));
  }

  /** Ready, and not left alone after a failure; by preference. */
  up(): readonly RemoteEndpoint[] {
    return this.all().filter(({ id, health }) => health.state === 'ready' && !this.backoff.isOut(id));
  }

  /** Ready, but left alone after a failure. */
  leftAlone(): readonly RemoteEndpoint[] {
    return this.all().filter(({ id, health }) => health.state === 'ready' && this.backoff.isOut(id));
  }

  all(): readonly RemoteEndpoint[] {
    return [...this.entries.values()].map(({ endpoint }) => endpoint);
  }

  nameOf(id: string): string {
    return (
      this.entries.get(id)?.endpoint.known.name ??
      (this.removed?.known.id === id ? this.removed.known.name : id)
    );
  }

  /** A request found it dead or slow: the next decision does without it. */
  failed(id: string): void {
    if (!this.entries.has(id)) return;
    this.backoff.failed(id);
    this.tell();
  }

  answered(id: string): void {
    if (this.backoff.answered(id)) this.tell();
  }

  /** Probes often while a deployment decides by it; undefined when it has ended. */
  setUser(user: EndpointUser | undefined): void {
    this.user = user;
    this.schedule(0);
  }

  /** @throws SluiceError `bad-input` for a URL that can't be, `conflict` for a name in use. */
  async add({ name, tier, url, token }: NewEndpoint): Promise<EndpointRecord> {
    const trimmed = name.trim();
    if (trimmed === '')
      throw new SluiceError('bad-input', 'Name: expected a name for the endpoint, found none.');
    this.refuseTwice(trimmed);
    const known = { id: randomUUID(), name: trimmed, tier, url: soundUrl(url), tokenKept: false };
    this.enter(known, token);
    this.save(known.id, known);
    await this.probe(known.id);
    return this.record(known.id);
  }

  /** @throws SluiceError `not-found`. */
  async setToken(id: string, token: string | undefined, kept: boolean): Promise<EndpointRecord> {
    const { endpoint } = this.entry(id);
    endpoint.known = { ...endpoint.known, tokenKept: kept && token !== undefined };
    await endpoint.setToken(token);
    this.save(id, endpoint.known);
    await this.probe(id);
    return this.record(id);
  }

  /** Tokens a keychain kept. `missing`: kept, but no longer readable. */
  async adoptTokens(tokens: Readonly<Record<string, string>>, missing: readonly string[]): Promise<void> {
    const changes = this.all().map(async (endpoint) => {
      const token = tokens[endpoint.id];
      if (token !== undefined) await endpoint.setToken(token);
      else if (missing.includes(endpoint.id)) await endpoint.setToken(undefined);
    });
    await Promise.all(changes);
    this.schedule(0);
    this.tell();
  }

  /** @throws SluiceError `not-found`. */
  async test(id: string): Promise<EndpointTest> {
    const { endpoint, probe } = this.entry(id);
    const result = await testEndpoint(endpoint, this.parts.variants(), () => this.parts.clock.nowMs());
    probe.askAll();
    await this.probe(id);
    if (result.ok) this.answered(id);
    return result;
  }

  /** It can be restored, token included, until another is removed. @throws SluiceError `not-found`. */
  async remove(id: string): Promise<void> {
    const { endpoint } = this.entry(id);
    this.removed = { known: endpoint.known, token: endpoint.heldToken };
    this.entries.delete(id);
    this.save(id, undefined);
    this.tell();
    await endpoint.close();
  }

  /** @throws SluiceError `not-found` when it is gone for good, `conflict` when its name is in use. */
  async restore(id: string): Promise<EndpointRecord> {
    const { removed } = this;
    if (removed?.known.id !== id) {
      throw new SluiceError('not-found', 'That endpoint is gone for good; add it again.', { id });
    }
    this.refuseTwice(removed.known.name);
    this.removed = undefined;
    this.enter(removed.known, removed.token);
    this.save(id, removed.known);
    await this.probe(id);
    return this.record(id);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.stopTimer?.();
    await Promise.all(this.all().map((endpoint) => endpoint.close()));
    await this.probing;
    await this.parts.file.settled();
  }

  private enter(known: KnownEndpoint, token?: string): void {
    const endpoint = new RemoteEndpoint(known, { ...this.parts, deadlineMs: DEADLINE_MS }, token);
    this.entries.set(known.id, { endpoint, probe: new EndpointProbe(endpoint, this.parts.clock) });
  }

  private async probe(id: string): Promise<void> {
    const entry = this.entry(id);
    await entry.probe.run(this.parts.variants());
    this.tell();
  }

  private schedule(delayMs: number): void {
    this.stopTimer?.();
    if (this.isClosed || !(this.parts.watches || this.user)) return;
    this.stopTimer = this.parts.clock.after(delayMs, () => {
      this.probing ??= this.probeAll().finally(() => {
        this.probing = undefined;
        this.schedule(this.user ? PROBE_BUSY_MS : PROBE_IDLE_MS);
      });
    });
  }

  private async probeAll(): Promise<void> {
    const variants = this.parts.variants();
    const due = this.backoff.due();
    await Promise.all(
      [...this.entries.values()].map(async ({ endpoint, probe }) => {
        const { state } = await probe.run(variants);
        if (state !== 'ready' || this.isClosed) return;
        const isTrial = due.includes(endpoint.id);
        if (isTrial || this.isDueForCanary(endpoint)) await this.canary(endpoint, isTrial);
      }),
    );
    if (this.entries.size > 0) this.tell();
  }

  private isDueForCanary({ id, lastUsedMs }: RemoteEndpoint): boolean {
    return (
      this.user !== undefined &&
      !this.backoff.isOut(id) &&
      this.parts.clock.nowMs() - lastUsedMs > CANARY_EVERY_MS
    );
  }

  /** One inference that no user waits for. An endpoint that was left alone comes back only by answering it in time. */
  private async canary(endpoint: RemoteEndpoint, isTrial: boolean): Promise<void> {
    const slowAfterMs = (variantId: string): number | undefined =>
      this.user?.slowAfterMs(endpoint.tier, variantId);
    const { offers } = endpoint.health;
    const variantId = offers.find((each) => slowAfterMs(each) !== undefined) ?? offers[0];
    if (variantId === undefined) return;
    const within = new AbortController();
    const stop = this.parts.clock.after(slowAfterMs(variantId) ?? CANARY_DEADLINE_MS, () => within.abort());
    try {
      await endpoint.infer(0, variantId, within.signal);
      this.backoff.answered(endpoint.id);
    } catch {
      if (isTrial) this.backoff.failed(endpoint.id); // what went wrong shows in its health
    } finally {
      stop();
    }
  }

  private entry(id: string): { readonly endpoint: RemoteEndpoint; readonly probe: EndpointProbe } {
    const entry = this.entries.get(id);
    if (entry) return entry;
    throw new SluiceError('not-found', 'There is no such endpoint; it may have been removed.', { id });
  }

  private record(id: string): EndpointRecord {
    const found = this.list().find((each) => each.id === id);
    if (found) return found;
    throw new SluiceError('not-found', 'The endpoint was removed meanwhile.', { id });
  }

  private refuseTwice(name: string): void {
    if (!this.all().some(({ known }) => known.name === name)) return;
    throw new SluiceError('conflict', `An endpoint called "${name}" exists; choose another name.`, { name });
  }

  private save(id: string, known: KnownEndpoint | undefined): void {
    this.parts.file.change((stored = []) => {
      const others = stored.filter((each) => each.id !== id);
      return known ? [...others, known] : others;
    });
  }

  private tell(): void {
    if (!this.isClosed) this.parts.bus.emit('endpoints', this.list());
  }
}

/** Without trailing slashes. @throws SluiceError `bad-input`. */
function soundUrl(text: string): string {
  const expected = 'expected http://host:port or https://host, with a path if the server has one';
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch (cause) {
    throw new SluiceError('bad-input', `URL: ${expected}; found "${text}".`, {}, { cause });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new SluiceError('bad-input', `URL: ${expected}; found ${url.protocol}//.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new SluiceError('bad-input', 'URL: expected no user or password in it; enter a token beside it.');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new SluiceError('bad-input', `URL: ${expected}; found a query or fragment.`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
