import { meanOf, type CellValue, type Evaluator } from './evaluator';

const faultOf = (value: CellValue): string | undefined =>
  typeof value === 'object' || value === '' ? 'one label' : undefined;
/** `1`, `"1"` and a CSV's 1 are one label. */
const labelOf = String;

/** The share of rows whose label is the answer's. */
export const accuracy: Evaluator = {
  name: 'accuracy',
  direction: 'max',
  faultOf,
  score: (answers, predictions) =>
    meanOf(answers, predictions, (answer, prediction) => (labelOf(answer) === labelOf(prediction) ? 1 : 0)),
};

/**
 * The mean over labels of 2TP / (2TP + FP + FN), each label counting alike; labels are those among answers and
 * predictions, as in scikit-learn's `f1_score(average="macro")`.
 */
export const macroF1: Evaluator = {
  name: 'macro-f1',
  direction: 'max',
  faultOf,
  score(answers, predictions) {
    const labels = new Map<string, { hits: number; answered: number; predicted: number }>();
    const countsOf = (label: string): { hits: number; answered: number; predicted: number } => {
      const counts = labels.get(label) ?? { hits: 0, answered: 0, predicted: 0 };
      labels.set(label, counts);
      return counts;
    };
    for (const [row, answer] of answers.entries()) {
      const wanted = labelOf(answer);
      const found = labelOf(predictions[row] ?? '');
      countsOf(wanted).answered += 1;
      countsOf(found).predicted += 1;
      if (wanted === found) countsOf(wanted).hits += 1;
    }
    let sum = 0;
    for (const { hits, answered, predicted } of labels.values()) sum += (2 * hits) / (answered + predicted);
    return sum / labels.size;
  },
};
