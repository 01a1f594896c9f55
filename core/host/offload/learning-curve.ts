import type { LearningCurve } from '../../contract';

/** Stretches grow by this factor: a logarithmic axis shows all of them equally wide. */
const GROWTH = 1.05;

interface Stretch {
  readonly step: number;
  readonly rounds: number;
  readonly responseMs: number;
  readonly rewardMs: number;
  readonly errorPct: number;
  readonly predicted: number;
  readonly explored: number;
}

const NOTHING: Stretch = {
  step: 0,
  rounds: 0,
  responseMs: 0,
  rewardMs: 0,
  errorPct: 0,
  predicted: 0,
  explored: 0,
};

export interface CurveRound {
  readonly meanResponseMs: number;
  readonly rewardMs: number;
  readonly predictedMs: number | undefined;
  readonly explored: boolean;
}

/** The course of learning since the agent began, summed over ever longer stretches. */
export class CurveRecorder {
  private readonly done: Stretch[] = [];
  private open = NOTHING;
  private endStep = 1;

  add({ meanResponseMs, rewardMs, predictedMs, explored }: CurveRound): void {
    const { open } = this;
    const errorPct =
      predictedMs === undefined ? 0 : (Math.abs(predictedMs - meanResponseMs) / meanResponseMs) * 100;
    this.open = {
      step: open.step + 1,
      rounds: open.rounds + 1,
      responseMs: open.responseMs + meanResponseMs,
      rewardMs: open.rewardMs + rewardMs,
      errorPct: open.errorPct + errorPct,
      predicted: open.predicted + Number(predictedMs !== undefined),
      explored: open.explored + Number(explored),
    };
    if (this.open.step < this.endStep) return;
    this.done.push(this.open);
    this.endStep = Math.ceil((this.open.step + 1) * GROWTH);
    this.open = { ...NOTHING, step: this.open.step };
  }

  curve(): LearningCurve {
    const all = this.open.rounds > 0 ? [...this.done, this.open] : this.done;
    const column = (value: (stretch: Stretch) => number): Float64Array => Float64Array.from(all, value);
    return {
      step: column(({ step }) => step),
      meanResponseMs: column(({ responseMs, rounds }) => responseMs / rounds),
      rewardMs: column(({ rewardMs, rounds }) => rewardMs / rounds),
      predictionErrorPct: column(({ errorPct, predicted }) => errorPct / predicted),
      exploredPct: column(({ explored, rounds }) => (explored / rounds) * 100),
    };
  }
}
