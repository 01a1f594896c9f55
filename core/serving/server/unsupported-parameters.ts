import { SluiceError } from '../../contract';

/** Parameters that change what the answer means: leaving them out silently would answer another question. */
const REFUSED: Readonly<Record<string, string>> = {
  sequence_id: 'stateful sequences',
  sequence_start: 'stateful sequences',
  sequence_end: 'stateful sequences',
  classification: 'the classification extension',
  shared_memory_region: 'shared memory',
  config: 'model configurations at load',
};

/** @throws SluiceError `unsupported` that names every such parameter. */
export function refuseUnsupported(parameters: Readonly<Record<string, unknown>>): void {
  const found = Object.keys(parameters).filter(
    (name) => Object.hasOwn(REFUSED, name) || name.startsWith('file:'),
  );
  if (found.length === 0) return;
  const what = found.map((name) => `"${name}" (${REFUSED[name] ?? 'model files at load'})`).join(', ');
  throw new SluiceError('unsupported', `Sluice does not support the parameters ${what}; leave them out.`, {
    parameters: found,
  });
}
