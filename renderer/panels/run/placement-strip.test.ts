import fc from 'fast-check';
import { expect, it } from 'vitest';

import { placementSpans } from './placement-strip';

it('groups neighbours and covers every layer once, in order', () => {
  const placement = fc.array(fc.constantFrom('resident' as const, 'streamed' as const, 'none' as const));
  fc.assert(
    fc.property(placement, (layers) => {
      const spans = placementSpans(layers);
      expect(spans.flatMap(({ kind, count }) => Array<string>(count).fill(kind))).toEqual(layers);
      spans.forEach((span, index) => expect(span.kind).not.toBe(spans[index + 1]?.kind));
    }),
  );
});
