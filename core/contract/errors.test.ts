import { describe, expect, it } from 'vitest';

import { SluiceError } from './errors';

describe('what an error says', () => {
  it('is as it was written', () => {
    const error = new SluiceError('io', 'Short.', {
      path: '/a',
      tries: 3,
      last: true,
      faults: ['one', 'two'],
    });
    expect(error.toWire()).toEqual({
      code: 'io',
      message: 'Short.',
      details: { path: '/a', tries: 3, last: true, faults: ['one', 'two'] },
    });
  });

  it('is short when what was found is not; its beginning and its end are kept', () => {
    const name = 'n'.repeat(1_000_000);
    const error = new SluiceError('bad-model', `a.onnx: ${name} is none. Do this.`, { name, all: [name] });
    expect(error.message).toMatch(/^a\.onnx: n+ \[\.\.\.\] n+ is none\. Do this\.$/);
    expect(JSON.stringify(error.toWire()).length).toBeLessThan(25_000);
  });
});
