import { z } from 'zod';

import { faultTexts } from '../contract';

/** A file that is no file of ours has one for each of its values. */
const MOST_FAULTS = 3;
const MOST_LETTERS = 500;

/** What is wrong with a file that could not be read: the first faults with their places, or what its parser says. */
export function faultText(cause: unknown): string {
  if (cause instanceof z.ZodError) {
    const faults = faultTexts(cause.issues.slice(0, MOST_FAULTS), 'the whole');
    const more = cause.issues.length - faults.length;
    return `${faults.join('; ')}${more > 0 ? `; and ${more} more` : ''}`.slice(0, MOST_LETTERS);
  }
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, MOST_LETTERS);
}
