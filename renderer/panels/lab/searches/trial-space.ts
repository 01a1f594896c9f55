import type {
  LabBrush,
  LabParameter,
  LabParameterValue,
  LabSearch,
  LabTrial,
} from '../../../../core/contract';
import type { ParallelAxis, ParallelBrush, ParallelLine } from '../parallel';
import { formatMetric } from '../lab-format';

/** No parameter can be called that: their names begin with a letter or _. */
export const METRIC_AXIS = ' metric';

/** What a trial is worth. */
export function trialScore({ best, metric }: LabTrial): number | undefined {
  const score = best ?? metric;
  return score !== undefined && Number.isFinite(score) ? score : undefined;
}

type Varied = Exclude<LabParameter, { readonly type: 'constant' }>;

/** Those that a search varies; in its JSON a choice of one value is allowed, too. */
export function variedParameters(parameters: readonly LabParameter[]): readonly Varied[] {
  return parameters.filter(
    (parameter): parameter is Varied =>
      parameter.type !== 'constant' && (parameter.type !== 'choice' || parameter.values.length > 1),
  );
}

function axisOf(parameter: Varied): ParallelAxis {
  const { name } = parameter;
  if (parameter.type === 'choice')
    return { id: name, label: name, kind: 'category', values: parameter.values.map(String) };
  const { min, max, scale, type } = parameter;
  return { id: name, label: name, kind: 'number', scale, min, max, isInteger: type === 'int' };
}

function metricAxis({ metric, trials }: LabSearch): ParallelAxis | undefined {
  const scores = trials.map(trialScore).filter((score) => score !== undefined);
  if (scores.length === 0) return undefined;
  const min = Math.min(...scores);
  const max = Math.max(...scores);
  return {
    id: METRIC_AXIS,
    label: metric.name,
    kind: 'number',
    scale: 'linear',
    min,
    // An axis needs a length.
    max: max > min ? max : min + Math.max(1e-6, Math.abs(min) * 0.01),
  };
}

/** The parameters' axes in the search's order, then that of the metric. */
export function axesOf(search: LabSearch): readonly ParallelAxis[] {
  const metric = metricAxis(search);
  return [...variedParameters(search.parameters).map(axisOf), ...(metric === undefined ? [] : [metric])];
}

function valueOn({ kind, id }: ParallelAxis, trial: LabTrial): number | string | undefined {
  const value = id === METRIC_AXIS ? trialScore(trial) : trial.parameters[id];
  if (value === undefined) return undefined;
  return kind === 'category' ? String(value) : Number(value);
}

export function linesOf(search: LabSearch, axes: readonly ParallelAxis[]): readonly ParallelLine[] {
  return search.trials.map((trial) => ({
    id: String(trial.id),
    label: `#${trial.id}`,
    values: axes.map((axis) => valueOn(axis, trial)),
  }));
}

function isWithin(trial: LabTrial, brush: ParallelBrush): boolean {
  const value = brush.axis === METRIC_AXIS ? trialScore(trial) : trial.parameters[brush.axis];
  if (value === undefined) return false;
  if ('values' in brush) return brush.values.includes(String(value));
  return Number(value) >= brush.min && Number(value) <= brush.max;
}

export function trialsWithin(
  trials: readonly LabTrial[],
  brushes: readonly ParallelBrush[],
): readonly LabTrial[] {
  return brushes.length === 0
    ? trials
    : trials.filter((trial) => brushes.every((brush) => isWithin(trial, brush)));
}

/** The part of a parameter that those trials span. */
function spanOf(parameter: Varied, trials: readonly LabTrial[]): LabBrush | undefined {
  const values = trials.map(({ parameters }) => parameters[parameter.name]);
  const present = values.filter((value) => value !== undefined);
  if (present.length === 0) return undefined;
  if (parameter.type === 'choice') {
    const kept = parameter.values.filter((value) => present.includes(value));
    return kept.length === parameter.values.length ? undefined : { parameter: parameter.name, values: kept };
  }
  const numbers = present.map(Number);
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  // One value is no range to search.
  return min < max ? { parameter: parameter.name, min, max } : undefined;
}

function brushOn(parameter: Varied, brush: ParallelBrush): LabBrush | undefined {
  const { name } = parameter;
  if (parameter.type === 'choice') {
    const kept = 'values' in brush ? brush.values : [];
    return { parameter: name, values: parameter.values.filter((value) => kept.includes(String(value))) };
  }
  if ('values' in brush) return undefined;
  const isInt = parameter.type === 'int';
  const min = Math.max(parameter.min, isInt ? Math.ceil(brush.min) : brush.min);
  const max = Math.min(parameter.max, isInt ? Math.floor(brush.max) : brush.max);
  return min < max ? { parameter: name, min, max } : undefined;
}

/**
 * What the next search is kept within: the brushed parts of parameters; where the metric is brushed, the part of the
 * other parameters that the trials in the brush span.
 */
export function brushesOf(search: LabSearch, brushes: readonly ParallelBrush[]): readonly LabBrush[] {
  const within = trialsWithin(search.trials, brushes);
  const isMetricBrushed = brushes.some(({ axis }) => axis === METRIC_AXIS);
  return variedParameters(search.parameters).flatMap((parameter) => {
    const own = brushes.find(({ axis }) => axis === parameter.name);
    const brush =
      own === undefined ? (isMetricBrushed ? spanOf(parameter, within) : undefined) : brushOn(parameter, own);
    return brush === undefined || ('values' in brush && brush.values.length === 0) ? [] : [brush];
  });
}

export function parameterText(value: LabParameterValue | undefined): string {
  return typeof value === 'number' ? formatMetric(value) : value === undefined ? '' : String(value);
}

/** `lr 0.003–0.02`, `optimizer adam, sgd`. */
export function brushText(brush: LabBrush): string {
  return 'values' in brush
    ? `${brush.parameter} ${brush.values.map(String).join(', ')}`
    : `${brush.parameter} ${formatMetric(brush.min)}–${formatMetric(brush.max)}`;
}

/** Trials by number, what each is worth, and the best up to it. */
export function bestColumns(search: LabSearch): [number[], (number | null)[], (number | null)[]] {
  const isBetter = search.metric.direction === 'max' ? Math.max : Math.min;
  const scores = search.trials.map((trial) => trialScore(trial) ?? null);
  let best: number | null = null;
  const line = scores.map((score) => {
    if (score !== null) best = best === null ? score : isBetter(best, score);
    return best;
  });
  return [search.trials.map(({ id }) => id), scores, line];
}
