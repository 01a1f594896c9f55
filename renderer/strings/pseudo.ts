import type { Catalogue } from './catalogue';

const PLAIN = 'aeiouyAEIOUYcnsz';
const ACCENTED = 'áéíóúýÁÉÍÓÚÝçñšž';

/** `Run` becomes `⟦Rúñ~⟧`: accents show what is translated, the length a third more what no longer fits. */
export function pseudo(text: string): string {
  if (!/\p{L}/u.test(text)) return text;
  const accented = text.replace(/[a-z]/gi, (letter) => ACCENTED[PLAIN.indexOf(letter)] ?? letter);
  return `⟦${accented}${'~'.repeat(Math.ceil(text.length / 3))}⟧`;
}

function pseudoOf(value: unknown): unknown {
  if (typeof value === 'string') return pseudo(value);
  if (Array.isArray(value)) return value.map(pseudoOf);
  if (typeof value === 'function') {
    return (...args: unknown[]): unknown => pseudoOf(Reflect.apply(value, undefined, args));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, pseudoOf(inner)]));
  }
  return value;
}

/** A catalogue with every text, and every text its functions give, lengthened and accented. */
export function pseudoCatalogue(catalogue: Catalogue): Catalogue {
  return pseudoOf(catalogue) as Catalogue;
}
