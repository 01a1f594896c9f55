import type { Clock, Random } from '../../base';
import { SluiceError } from '../../contract';
import type { FleetBox } from '../../contract';
import type { Log } from '../state-file';
import { BoxLink } from './box-link';
import { BoxListeners, type BoxListener } from './box-listeners';
import type { Dial } from './box-socket';
import type { FleetTimes } from './fleet-times';
import type { KnownBox } from './known-box';
import type { BoxTarget } from './pinned-connection';
import { standingAfter, UNTRIED, waitMs } from './reconnect';
import type { Happening, Standing } from './reconnect';
import type { ToldEvent } from './told-events';
import { WatchedFigures } from './watched-figures';
import { engineInfoSchema, speakOneProtocol } from './wire-schemas';

export interface BoxParts {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: FleetTimes;
  /** Of this engine. */
  readonly version: string;
  readonly log: Log;
  /** What `FleetBox` shows of it changed. */
  readonly onChange: () => void;
}

const TOKEN_MISSING = 'Its token must be entered again.';
const TELEMETRY_WITHIN_MS = 60_000;
const NOTE_EVERY_MS = 60_000;

/** A box: connected again and again, asked for its figures while somebody looks, and heard by those who follow it. */
export class Box {
  private standing: Standing = UNTRIED;
  private sinceMs: number;
  private roundTripMs: number | undefined;
  private link: BoxLink | undefined;
  private hasTelemetry = false;
  private notedMs = -Infinity;
  private stopTimer: (() => void) | undefined;
  private isClosed = false;
  private readonly figures: WatchedFigures;
  private readonly listeners = new BoxListeners();
  private readonly onlineWaiters = new Set<() => void>();
  private readonly lossListeners = new Set<(reason: string) => void>();

  constructor(
    public known: KnownBox,
    public token: string | undefined,
    private readonly parts: BoxParts,
  ) {
    const { clock, times, onChange } = parts;
    this.sinceMs = clock.nowMs();
    this.figures = new WatchedFigures({
      clock,
      everyMs: times.figuresMs,
      onChange,
      note: (what) => this.note(what),
    });
  }

  get view(): FleetBox {
    const { known, standing, sinceMs, roundTripMs } = this;
    const figures = this.figures.current;
    return {
      id: known.id,
      name: known.name,
      url: known.url,
      state: standing.state,
      ...(standing.reason !== undefined && { reason: standing.reason }),
      sinceMs,
      ...(roundTripMs !== undefined && { roundTripMs }),
      ...(figures && { figures }),
    };
  }

  get target(): BoxTarget {
    const { url, certificateFingerprint } = this.known;
    return { url, token: this.token, certificateFingerprint };
  }

  get isOnline(): boolean {
    return this.standing.state === 'online';
  }

  /** Begins connecting after a while. */
  start(afterMs: number): void {
    if (this.known.hasToken && this.token === undefined) {
      this.happened({ kind: 'refused', reason: TOKEN_MISSING });
      return;
    }
    this.stopTimer?.();
    this.stopTimer = this.parts.clock.after(afterMs, () => this.connect());
  }

  /** Tries at once, whatever went before. */
  restart(): void {
    this.unlink('Connected anew.');
    this.happened({ kind: 'asked' });
    this.start(0);
  }

  close(): void {
    this.isClosed = true;
    this.unlink('No longer attached.');
    this.figures.cancel();
    this.stopTimer?.();
    for (const wake of [...this.onlineWaiters]) wake();
  }

  /** @throws SluiceError what the box answers; `engine-down` while it is away; `timeout`, `overloaded`. */
  async request(request: string, input: unknown, withinMs: number): Promise<unknown> {
    if (this.link && this.isOnline) return this.link.request(request, input, withinMs);
    const { name } = this.known;
    const { state, reason } = this.standing;
    throw new SluiceError('engine-down', `${name} is ${state}${reason === undefined ? '' : `: ${reason}`}`, {
      box: this.known.id,
    });
  }

  /** Follows its figures, or lets it be: then events are not even read. */
  setWatched(isWatched: boolean): void {
    if (!this.figures.setWatched(isWatched) || !this.isOnline) return;
    this.adjust();
    if (isWatched) this.askFigures();
  }

  /** Hears what the box tells, `only` some of it; over its absences too. @returns ends it. */
  follow(listener: BoxListener, only?: ReadonlySet<ToldEvent>): () => void {
    this.listeners.add(listener, only);
    this.adjust();
    return () => {
      this.listeners.remove(listener);
      this.adjust();
    };
  }

  /** Resolves when it is online, or no longer attached. */
  whenOnline(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.isOnline || this.isClosed || signal.aborted) {
        resolve();
        return;
      }
      const wake = (): void => {
        this.onlineWaiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.onlineWaiters.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  /** Calls back once when it is lost. @returns ends it. */
  onLost(listener: (reason: string) => void): () => void {
    if (!this.isOnline) listener(this.standing.reason ?? 'It is away.');
    else this.lossListeners.add(listener);
    return () => this.lossListeners.delete(listener);
  }

  private connect(): void {
    if (this.isClosed) return;
    const { dial, clock } = this.parts;
    const link: BoxLink = new BoxLink({
      dial,
      target: this.target,
      clock,
      onOpen: () => void this.greet(link),
      wants: (event) => this.listeners.want(event) || this.figures.want(event),
      onEvent: (event, payload) => {
        this.listeners.tell(event, payload);
        this.figures.tell(event, payload);
      },
      onRoundTrip: (ms) => {
        this.roundTripMs = ms;
        this.figures.changed();
      },
      onEnd: ({ isRefusal, reason }) => {
        if (this.link === link) this.lost(isRefusal, reason);
      },
      note: (what) => this.note(what),
    });
    this.link = link;
  }

  /** Who is there decides whether it is a box of this fleet. */
  private async greet(link: BoxLink): Promise<void> {
    const { version, times } = this.parts;
    let answer: unknown;
    try {
      answer = await link.request('engine.info', {}, times.helloMs);
    } catch (thrown) {
      link.end(`It does not say who it is: ${SluiceError.from(thrown).message}`);
      return;
    }
    if (this.link !== link) return;
    const parsed = engineInfoSchema.safeParse(answer);
    if (!parsed.success) link.end('It does not say who it is as Sluice does.');
    else if (!speakOneProtocol(version, parsed.data.version)) {
      this.unlink('Another version.');
      const reason = `It runs Sluice ${parsed.data.version}, this engine ${version}: update the older one.`;
      this.happened({ kind: 'refused', reason });
    } else this.online(answer);
  }

  private online(info: unknown): void {
    const { clock, times } = this.parts;
    this.figures.begin(info);
    this.hasTelemetry = false;
    this.happened({ kind: 'opened' });
    this.stopTimer = clock.after(times.steadyMs, () => this.happened({ kind: 'steady' }));
    this.adjust();
    if (this.figures.isWatched) this.askFigures();
    for (const wake of [...this.onlineWaiters]) wake();
  }

  private askFigures(): void {
    const { link } = this;
    if (link) void this.figures.ask(link, () => this.link === link);
  }

  /** Asks the box for as much as somebody here wants. */
  private adjust(): void {
    const { link, parts } = this;
    if (!link || !this.isOnline) return;
    const { isWatched } = this.figures;
    const wantsTelemetry = isWatched || this.listeners.want('telemetry');
    const isHeard = isWatched || !this.listeners.isEmpty;
    link.pingEvery(isHeard ? parts.times.pingMs : parts.times.idlePingMs);
    if (wantsTelemetry === this.hasTelemetry) return;
    this.hasTelemetry = wantsTelemetry;
    link
      .request('telemetry.watch', { on: wantsTelemetry }, TELEMETRY_WITHIN_MS)
      .catch((thrown: unknown) => this.note(`telemetry: ${SluiceError.from(thrown).message}`));
  }

  private lost(isRefusal: boolean, reason: string): void {
    this.unlink(reason);
    this.happened({ kind: isRefusal ? 'refused' : 'lost', reason });
    if (isRefusal) return;
    const { clock, random } = this.parts;
    this.stopTimer = clock.after(waitMs(this.standing.failures, random), () => this.connect());
  }

  private unlink(reason: string): void {
    const { link } = this;
    this.link = undefined;
    this.stopTimer?.();
    this.stopTimer = undefined;
    this.roundTripMs = undefined;
    link?.end(reason);
    for (const listener of [...this.lossListeners]) listener(reason);
    this.lossListeners.clear();
  }

  private happened(happening: Happening): void {
    if (this.isClosed) return;
    const before = this.standing;
    this.standing = standingAfter(before, happening);
    const isNews = before.state !== this.standing.state;
    if (isNews) this.sinceMs = this.parts.clock.nowMs();
    if (isNews || before.reason !== this.standing.reason) this.parts.onChange();
  }

  /** One line now and then: a box must not fill the log either. */
  private note(what: string): void {
    const nowMs = this.parts.clock.nowMs();
    if (nowMs - this.notedMs < NOTE_EVERY_MS) return;
    this.notedMs = nowMs;
    this.parts.log(`fleet: ${this.known.name} ${what}`);
  }
}
