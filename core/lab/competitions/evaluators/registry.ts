import { accuracy, macroF1 } from './classification';
import type { Evaluator } from './evaluator';
import { mae, rmse } from './regression';
import { editDistance, tokenAccuracy } from './sequences';

const EVALUATORS: readonly Evaluator[] = [accuracy, macroF1, rmse, mae, editDistance, tokenAccuracy];

/** What a competition can name instead of a command. */
export const EVALUATOR_NAMES: readonly string[] = EVALUATORS.map(({ name }) => name);

export function evaluatorNamed(name: string): Evaluator | undefined {
  return EVALUATORS.find((evaluator) => evaluator.name === name);
}
