import { SluiceError } from '../../contract';
import type { MemoryDelayCurve, ModelSummary, PipelineMode, PlanDetail } from '../../contract';
import { memoryDelayCurve, planDetail } from '../../layering';
import type { LoadDemand } from './loaded-models';
import type { Library } from './model-ports';
import type { PipelineNotes } from './pipeline-notes';
import { combineCurves, combinePlans, shareBudget } from './text-plan';

/** Plans of one store; the real ones come from core/layering. */
export interface StorePlanner {
  /** @throws SluiceError `budget-too-small` with details.minimumBytes. */
  plan(storePath: string, mode: PipelineMode, budgetBytes: number): PlanDetail;
  /** @throws SluiceError `not-found` without a profile. */
  curve(storePath: string, mode: PipelineMode): Promise<MemoryDelayCurve>;
}

export const storePlanner: StorePlanner = { plan: planDetail, curve: memoryDelayCurve };

/** What a run will load, and the plan of all of it together. */
export interface RunPlan {
  readonly detail: PlanDetail;
  /** One for a model; detector and recognizer for a text pipeline. */
  readonly demands: readonly LoadDemand[];
  /** Of one inference of each, in the same order. */
  readonly predictedMs: readonly number[];
}

/** Plans for names of the library. A text pipeline's two networks share its budget. */
export class Planner {
  constructor(
    private readonly library: Library,
    private readonly stores: StorePlanner,
    private readonly notes: PipelineNotes,
  ) {}

  /**
   * @param budgetBytes ignored in resident mode, where everything is loaded.
   * @throws SluiceError `not-found`, `stale-store`, `corrupt-store`, `budget-too-small` (details.minimumBytes).
   */
  plan(name: string, mode: PipelineMode, budgetBytes: number): RunPlan {
    const summary = this.library.summary(name);
    if (summary.task.kind !== 'text') {
      const { detail, demand } = this.planOne(name, mode, mode === 'resident' ? Infinity : budgetBytes);
      return {
        detail: shown(detail, name, budgetBytes),
        demands: [demand],
        predictedMs: [detail.predictedMs],
      };
    }
    const members = this.members(summary);
    const shares =
      mode === 'resident'
        ? [Infinity, Infinity]
        : shareBudget(
            name,
            budgetBytes,
            members.map((member) => ({
              name: member.name,
              weightBytes: member.weightBytes,
              minimumBytes: this.minimumOf(member.name, mode),
            })),
          );
    const plans = members.map((member, index) => this.planOne(member.name, mode, shares[index] ?? 0));
    const details = plans.map(({ detail }) => detail);
    const combined = combinePlans(details, this.notes.regionsPerImage(name));
    return {
      detail: shown(combined, name, budgetBytes),
      demands: plans.map(({ demand }) => demand),
      predictedMs: details.map(({ predictedMs }) => predictedMs),
    };
  }

  /** @throws SluiceError `not-found` when the model is unknown or has no profile yet. */
  async curve(name: string, mode: PipelineMode): Promise<MemoryDelayCurve> {
    const summary = this.library.summary(name);
    if (summary.task.kind !== 'text') {
      return { ...(await this.stores.curve(this.library.storePath(name), mode)), model: name };
    }
    const members = this.members(summary);
    const curves = await Promise.all(
      members.map((member) => this.stores.curve(this.library.storePath(member.name), mode)),
    );
    const weights = members.map((member) => member.weightBytes);
    const regions = this.notes.regionsPerImage(name);
    return {
      ...combineCurves(curves, weights, regions),
      model: name,
      mode,
      measured: this.notes.measured(name),
    };
  }

  private members(summary: ModelSummary): readonly ModelSummary[] {
    if (summary.task.kind !== 'text') return [summary];
    const { detector, recognizer } = summary.task;
    return [this.library.summary(detector), this.library.summary(recognizer)];
  }

  private planOne(
    name: string,
    mode: PipelineMode,
    budgetBytes: number,
  ): { detail: PlanDetail; demand: LoadDemand } {
    const storePath = this.library.storePath(name);
    const detail = this.stores.plan(storePath, mode, budgetBytes);
    const demand = { model: name, storePath, mode, parameterBytes: detail.parameterMemoryBytes };
    return { detail, demand: mode === 'resident' ? demand : { ...demand, budgetBytes } };
  }

  /** The planner itself says what is least, when asked for nothing. */
  private minimumOf(name: string, mode: PipelineMode): number {
    try {
      return this.stores.plan(this.library.storePath(name), mode, 0).parameterMemoryBytes;
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'budget-too-small') throw error;
      return Number(error.details['minimumBytes']);
    }
  }
}

/** With the names and the budget the caller knows; resident without a budget takes what it allocates. */
function shown(detail: PlanDetail, model: string, budgetBytes: number): PlanDetail {
  const budget = Number.isFinite(budgetBytes) ? budgetBytes : detail.parameterMemoryBytes;
  return { ...detail, model, budgetBytes: Math.max(budget, detail.parameterMemoryBytes) };
}
