import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { BoxFigures } from '../../contract';
import { EventPace } from '../event-pace';
import { BoxDigest, DIGEST_REQUESTS, isDigested } from './box-digest';
import type { BoxLink } from './box-link';
import type { ToldEvent } from './told-events';

const DIGEST_WITHIN_MS = 60_000;

export interface WatchedFiguresParts {
  readonly clock: Clock;
  /** How often they are told at most. */
  readonly everyMs: number;
  readonly onChange: () => void;
  /** For the log. */
  readonly note: (what: string) => void;
}

/** A box's figures: kept up while somebody looks at the fleet, and shown as they were last while nobody does. */
export class WatchedFigures {
  private digest: BoxDigest;
  private shown: BoxFigures | undefined;
  private watched = false;
  private telemetryMs = -Infinity;
  private readonly pace: EventPace;

  constructor(private readonly parts: WatchedFiguresParts) {
    const { clock, everyMs, onChange } = parts;
    this.digest = new BoxDigest(() => clock.nowMs());
    this.pace = new EventPace(clock, everyMs, () => {
      this.shown = this.digest.figures() ?? this.shown;
      onChange();
    });
  }

  get current(): BoxFigures | undefined {
    return this.shown;
  }

  get isWatched(): boolean {
    return this.watched;
  }

  /** @returns whether that is news. */
  setWatched(isWatched: boolean): boolean {
    const isNews = isWatched !== this.watched;
    this.watched = isWatched;
    return isNews;
  }

  /** Begins anew with a box that came online. @param info its answer to `engine.info`. */
  begin(info: unknown): void {
    this.digest = new BoxDigest(() => this.parts.clock.nowMs());
    this.digest.take('engine.info', info);
  }

  /**
   * What the box can't answer shows as absent, so that an older or damaged one is seen at all.
   * @param isCurrent whether the link is the box's still.
   */
  async ask(link: BoxLink, isCurrent: () => boolean): Promise<void> {
    const { digest } = this;
    const asking = DIGEST_REQUESTS.map(async ({ name, input }) => {
      const fault = await link.request(name, input, DIGEST_WITHIN_MS).then(
        (value) => digest.take(name, value),
        (thrown: unknown) => `${name}: ${SluiceError.from(thrown).message}`,
      );
      if (this.digest !== digest || !isCurrent()) return;
      if (fault === undefined) this.pace.changed();
      else this.parts.note(`did not answer: ${fault}`);
    });
    await Promise.all(asking);
  }

  want(event: ToldEvent): boolean {
    if (!this.watched || !isDigested(event)) return false;
    return event !== 'telemetry' || this.isTelemetryDue();
  }

  tell(event: ToldEvent, payload: unknown): void {
    if (!this.want(event)) return;
    if (event === 'telemetry') this.telemetryMs = this.parts.clock.nowMs();
    this.digest.tell(event, payload);
    this.pace.changed();
  }

  /** Something shown beside them changed. */
  changed(): void {
    this.pace.changed();
  }

  cancel(): void {
    this.pace.cancel();
  }

  /** Half of a box's batches lie between two figures that are told. */
  private isTelemetryDue(): boolean {
    return this.parts.clock.nowMs() - this.telemetryMs >= this.parts.everyMs * 0.9;
  }
}
