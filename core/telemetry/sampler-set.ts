import type { Readings, Sampler, TelemetryClock } from './sampler';

/** Told once per problem, not per tick. */
export type LogProblem = (message: string) => void;

/** A sampler that has not answered for so long counts as failed. */
const STUCK_MS = 10_000;

interface Slot {
  readonly sampler: Sampler;
  latest: Readings;
  askedAtMs: number;
  inFlight: boolean;
  disabled: boolean;
}

/** Runs samplers at their own pace and keeps their latest figures. One that fails is left alone until `restart`. */
export class SamplerSet {
  #slots: Slot[] = [];

  constructor(
    readonly samplers: readonly Sampler[],
    readonly clock: TelemetryClock,
    readonly log: LogProblem,
  ) {
    this.restart();
  }

  /** Begins afresh: all samplers enabled, counters forgotten. Answers still under way are ignored. */
  restart(): void {
    for (const sampler of this.samplers) sampler.reset?.();
    this.#slots = this.samplers.map((sampler) => ({
      sampler,
      latest: {},
      askedAtMs: -Infinity,
      inFlight: false,
      disabled: false,
    }));
  }

  /**
   * Asks every sampler that is due and not still busy, then hands over one row of the latest figures. Samplers without
   * a pace of their own are waited for; slow ones (`everyMs`) answer into a later row.
   */
  tick(done: (epochMs: number, readings: Readings) => void): void {
    const slots = this.#slots;
    const nowMs = this.clock.monotonicMs();
    const epochMs = this.clock.epochMs();
    const prompt: Promise<void>[] = [];
    for (const slot of slots) {
      if (slot.disabled) continue;
      if (slot.inFlight) {
        if (nowMs - slot.askedAtMs > STUCK_MS) this.#disable(slot, `no answer for ${STUCK_MS / 1000} s`);
        continue;
      }
      if (nowMs - slot.askedAtMs < (slot.sampler.everyMs ?? 0)) continue;
      const answer = this.#ask(slot, nowMs);
      if (slot.sampler.everyMs === undefined) prompt.push(answer);
    }
    void Promise.all(prompt).then(() => {
      if (slots !== this.#slots) return;
      done(epochMs, Object.assign({}, ...slots.map((slot) => slot.latest)) as Readings);
    });
  }

  async #ask(slot: Slot, nowMs: number): Promise<void> {
    slot.inFlight = true;
    slot.askedAtMs = nowMs;
    try {
      const readings = await slot.sampler.sample();
      if (!slot.disabled) slot.latest = readings;
    } catch (error) {
      this.#disable(slot, error instanceof Error ? error.message : String(error));
    } finally {
      slot.inFlight = false;
    }
  }

  #disable(slot: Slot, reason: string): void {
    slot.disabled = true;
    slot.latest = {};
    this.log(`telemetry "${slot.sampler.name}" stopped, its figures are missing from now on: ${reason}`);
  }
}
