import type { RunResult } from '../../contract';
import { plainText } from '../../vision';
import { table } from './table';

/** A result as a person reads it. */
export function resultText(result: RunResult): string {
  switch (result.kind) {
    case 'text':
      return result.lines.length === 0 ? '(no text found)' : plainText(result);
    case 'classification':
      return table<(typeof result.top)[number]>(
        [
          { title: 'class', text: ({ label }) => label },
          {
            title: 'probability',
            text: ({ probability }) => `${(100 * probability).toFixed(2)} %`,
            align: 'right',
          },
        ],
        result.top,
      );
    case 'tensors':
      return table<(typeof result.outputs)[number]>(
        [
          { title: 'output', text: ({ name }) => name },
          { title: 'type', text: ({ dtype, shape }) => `${dtype} [${shape.join(', ')}]` },
          { title: 'min', text: ({ min }) => min.toPrecision(5), align: 'right' },
          { title: 'mean', text: ({ mean }) => mean.toPrecision(5), align: 'right' },
          { title: 'max', text: ({ max }) => max.toPrecision(5), align: 'right' },
          {
            title: 'first values',
            text: ({ head }) =>
              head
                .slice(0, 4)
                .map((value) => value.toPrecision(5))
                .join(' '),
          },
        ],
        result.outputs,
      );
  }
}
