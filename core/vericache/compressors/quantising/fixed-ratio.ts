import { SluiceError } from '../../../contract';

/** @throws SluiceError `bad-input` for a ratio that is not the scheme's own. */
export function requireRatio(name: string, fixedRatio: number, asked: number): void {
  if (asked === fixedRatio) return;
  throw new SluiceError(
    'bad-input',
    `${name} makes the cache ${fixedRatio} times smaller; a ratio of ${asked} can't be asked of it. ` +
      `Leave the ratio out, or choose a compressor that drops tokens.`,
    { compressor: name, ratio: asked },
  );
}
