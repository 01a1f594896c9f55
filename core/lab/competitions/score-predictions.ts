import { SluiceError } from '../../contract';
import type { CellValue, Evaluator } from './evaluators/evaluator';
import { readTable, shown, type Table, type TableText } from './prediction-table';

/** Faults and ids named in one message. */
const MOST_NAMED = 10;

/**
 * The ids of a table of answers, in its order.
 * @param evaluator looks at the answers too. @throws SluiceError `internal`, see `scorePredictions`.
 */
export function answerIds(answers: TableText, evaluator?: Evaluator): readonly string[] {
  return [...readAnswers(answers, evaluator).rows.keys()];
}

/**
 * The score of predictions against the answers.
 * @param only ids of the answers that count; absent: all.
 * @throws SluiceError `bad-input` naming what is wrong with the predictions, by row and id; `internal` when the
 * answers are unusable. Neither holds any answer.
 */
export function scorePredictions(
  evaluator: Evaluator,
  answers: TableText,
  predictions: TableText,
  only?: readonly string[],
): number {
  const wanted = readAnswers(answers, evaluator);
  const found = readTable(predictions, 'prediction');
  const ids = only ?? [...wanted.rows.keys()];
  const faults = [...found.faults, ...idFaults(wanted, found, ids)];
  const pairs: { answer: CellValue; prediction: CellValue }[] = [];
  for (const id of ids) {
    const answer = wanted.rows.get(id);
    const prediction = found.rows.get(id);
    if (!answer || !prediction) continue;
    const expected = evaluator.faultOf(prediction.value);
    if (expected === undefined) pairs.push({ answer: answer.value, prediction: prediction.value });
    else {
      faults.push(
        `row ${prediction.row}: the prediction of ${shown(id)}: expected ${expected}, found ${shown(String(prediction.value))}`,
      );
    }
  }
  if (faults.length > 0) throw unusable(faults);
  return evaluator.score(
    pairs.map(({ answer }) => answer),
    pairs.map(({ prediction }) => prediction),
  );
}

function idFaults(wanted: Table, found: Table, ids: readonly string[]): string[] {
  const faults: string[] = [];
  const missing = ids.filter((id) => !found.rows.has(id));
  if (missing.length > 0) faults.push(`no prediction for ${named(missing)}`);
  for (const [id, { row }] of found.rows) {
    if (!wanted.rows.has(id)) faults.push(`row ${row}: the competition has no id ${shown(id)}`);
  }
  return faults;
}

function readAnswers(answers: TableText, evaluator?: Evaluator): Table {
  const table = readTable(answers, 'answer');
  const faults = [...table.faults];
  for (const { row, value } of table.rows.values()) {
    const expected = evaluator?.faultOf(value);
    if (expected !== undefined) faults.push(`row ${row}: expected ${expected}`);
  }
  if (faults.length === 0) return table;
  throw new SluiceError(
    'internal',
    'The answers of this competition are unusable: no submission can be scored. Tell whoever created it.',
    {},
    // Faults may quote an answer: they are for the log alone.
    { cause: new Error(faults.slice(0, MOST_NAMED).join('; ')) },
  );
}

function unusable(faults: readonly string[]): SluiceError {
  const more = faults.length > MOST_NAMED ? `; and ${faults.length - MOST_NAMED} more` : '';
  const all = faults.slice(0, MOST_NAMED);
  return new SluiceError('bad-input', `The predictions can't be scored: ${all.join('; ')}${more}.`, {
    faults: all,
  });
}

function named(ids: readonly string[]): string {
  const first = ids.slice(0, MOST_NAMED).map(shown).join(', ');
  return ids.length > MOST_NAMED ? `${first} and ${ids.length - MOST_NAMED} more ids` : first;
}
