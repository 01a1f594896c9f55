import { gaussian, seededRandom } from '../../../base';
import { trialRandom } from '../space/sampling';
import type { TrialCheckpoint } from '../algorithms/algorithm';
import type { Parameters } from '../space/search-space';

/** How far one unit of resource takes a model. */
interface CurveFamily {
  /** @param quality 0 to 1. @returns the quality after it. */
  step(quality: number, parameters: Parameters, resource: number): number;
}

export const CURVE_SPACE = {
  lr: { type: 'float', min: 1e-4, max: 1e-1, scale: 'log' },
  dropout: { type: 'float', min: 0, max: 1 },
  width: { type: 'int', min: 1, max: 64, scale: 'log' },
};

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** What a model can reach, and how fast, depends on parameters that stay good or bad. */
export const steadyCurves: CurveFamily = {
  step(quality, { lr, dropout, width }) {
    const far =
      ((Math.log10(numberOf(lr)) + 2.3) / 0.8) ** 2 +
      ((numberOf(dropout) - 0.3) / 0.4) ** 2 +
      ((Math.log2(numberOf(width)) - 4) / 2.5) ** 2;
    return quality + 0.12 * (Math.exp(-far / 2) - quality);
  },
};

/** The best learning rate falls from 1e-1.5 to 1e-3.5 over 100 units: no constant one is good for long. */
export const driftingCurves: CurveFamily = {
  step(quality, { lr }, resource) {
    const far = (Math.log10(numberOf(lr)) - (-1.5 - 0.02 * resource)) / 0.35;
    return quality + 0.06 * Math.exp((-far * far) / 2) * (1 - quality);
  },
};

/** Trainings that a test can look into: quality by trial and resource, with every state kept. */
export class CurveTrainings {
  private readonly qualities = new Map<string, number>();

  constructor(
    private readonly family: CurveFamily,
    private readonly seed: number,
    private readonly noise = 0.01,
  ) {}

  begin(trial: number, from: TrialCheckpoint | undefined): void {
    const start = from?.resource ?? 0;
    this.qualities.set(`${trial}@${start}`, from ? this.qualityAt(from.trial, from.resource) : 0);
  }

  /** One unit more. @returns the metric reported for it. */
  train(trial: number, parameters: Parameters, resource: number): number {
    const quality = this.family.step(this.qualityAt(trial, resource - 1), parameters, resource - 1);
    this.qualities.set(`${trial}@${resource}`, quality);
    const random = seededRandom(Math.floor(trialRandom(this.seed, trial * 100_000 + resource)() * 2 ** 32));
    return quality + this.noise * gaussian(random);
  }

  /** Without noise. @throws RangeError for a state that no training was in. */
  qualityAt(trial: number, resource: number): number {
    const quality = this.qualities.get(`${trial}@${resource}`);
    if (quality === undefined) throw new RangeError(`Trial ${trial} has no checkpoint at ${resource}.`);
    return quality;
  }
}
