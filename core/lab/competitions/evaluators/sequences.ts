import { meanOf, type CellValue, type Evaluator } from './evaluator';

const MOST_ELEMENTS = 20_000;
/** Lists by their elements; texts by the given rule. */
const elementsOf = (value: CellValue, split: (text: string) => readonly string[]): readonly string[] =>
  typeof value === 'object' ? value.map(String) : split(String(value));
const charactersOf = (text: string): readonly string[] => Array.from(text.normalize('NFC'));
const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

// Comparing two sequences takes the product of their lengths.
const faultOf = (value: CellValue): string | undefined =>
  typeof value !== 'number' && typeof value !== 'boolean' && value.length > MOST_ELEMENTS
    ? `at most ${MOST_ELEMENTS} elements`
    : undefined;

/**
 * The mean number of insertions, deletions and replacements (Levenshtein 1966) that make the answer of a prediction:
 * of characters in texts, of elements in lists.
 */
export const editDistance: Evaluator = {
  name: 'edit-distance',
  direction: 'min',
  faultOf,
  score: (answers, predictions) =>
    meanOf(answers, predictions, (answer, prediction) =>
      distanceOf(elementsOf(answer, charactersOf), elementsOf(prediction, charactersOf)),
    ),
};

/**
 * The mean share of places that hold the answer's token, of as many places as the longer of both has; tokens are the
 * elements of lists and the words of texts. Two empty sequences agree.
 */
export const tokenAccuracy: Evaluator = {
  name: 'token-accuracy',
  direction: 'max',
  faultOf,
  score: (answers, predictions) =>
    meanOf(answers, predictions, (answer, prediction) => {
      const wanted = elementsOf(answer, wordsOf);
      const found = elementsOf(prediction, wordsOf);
      const places = Math.max(wanted.length, found.length);
      const hits = wanted.filter((token, place) => token === found[place]).length;
      return places === 0 ? 1 : hits / places;
    }),
};

function distanceOf(wanted: readonly string[], found: readonly string[]): number {
  let above = Array.from({ length: found.length + 1 }, (_, column) => column);
  for (const [row, token] of wanted.entries()) {
    const current = [row + 1];
    for (const [column, other] of found.entries()) {
      const replaced = (above[column] ?? 0) + (token === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above[found.length] ?? 0;
}
