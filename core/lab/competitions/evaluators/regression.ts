import { meanOf, type CellValue, type Evaluator } from './evaluator';

/** A CSV's text is read as JavaScript reads numbers; no hexadecimal, no empty cells. */
function numberOf(value: CellValue): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)) return NaN;
  return Number(value);
}
const faultOf = (value: CellValue): string | undefined =>
  Number.isFinite(numberOf(value)) ? undefined : 'a finite number';

/** The root of the mean squared difference. */
export const rmse: Evaluator = {
  name: 'rmse',
  direction: 'min',
  faultOf,
  score: (answers, predictions) =>
    Math.sqrt(
      meanOf(answers, predictions, (answer, prediction) => (numberOf(answer) - numberOf(prediction)) ** 2),
    ),
};

/** The mean absolute difference. */
export const mae: Evaluator = {
  name: 'mae',
  direction: 'min',
  faultOf,
  score: (answers, predictions) =>
    meanOf(answers, predictions, (answer, prediction) => Math.abs(numberOf(answer) - numberOf(prediction))),
};
