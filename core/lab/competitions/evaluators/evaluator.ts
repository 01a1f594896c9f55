/** One answer or prediction: of a CSV always text, of JSON lines also numbers, true/false and sequences. */
export type CellValue = string | number | boolean | readonly (string | number)[];

export interface Evaluator {
  /** As a competition names it. */
  readonly name: string;
  /** Which scores are better. */
  readonly direction: 'max' | 'min';
  /** @returns what is expected instead, or undefined for a value it can take. */
  faultOf(value: CellValue): string | undefined;
  /** @param answers and predictions without faults, of the same rows; at least one. */
  score(answers: readonly CellValue[], predictions: readonly CellValue[]): number;
}

/** The mean of what each pair of an answer and a prediction gives. */
export function meanOf(
  answers: readonly CellValue[],
  predictions: readonly CellValue[],
  each: (answer: CellValue, prediction: CellValue) => number,
): number {
  let sum = 0;
  for (const [row, answer] of answers.entries()) sum += each(answer, predictions[row] ?? '');
  return sum / answers.length;
}
