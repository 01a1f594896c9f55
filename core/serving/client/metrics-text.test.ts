import fc from 'fast-check';
import { Gauge, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

import { parseMetricsText } from './metrics-text';
import { serverFiguresOf } from './server-figures';

/** [line, name, labels, value] */
const LINES: readonly (readonly [string, string, Readonly<Record<string, string>>, number])[] = [
  ['a 1', 'a', {}, 1],
  ['a{} 1', 'a', {}, 1],
  ['a\t 1.5e-3\t', 'a', {}, 0.0015],
  ['a_b:c9 .5', 'a_b:c9', {}, 0.5],
  ['a 5.', 'a', {}, 5],
  ['a{x="1"} 2', 'a', { x: '1' }, 2],
  ['a { x = "1" , y="2", } 2 1712000000000', 'a', { x: '1', y: '2' }, 2],
  ['a{x="a,b}c=1",y=""} 2 -5', 'a', { x: 'a,b}c=1', y: '' }, 2],
  [String.raw`a{x="q\"b\\n\nl\t"} 2`, 'a', { x: 'q"b\\n\nl\\t' }, 2],
  ['a NaN', 'a', {}, NaN],
  ['a Nan', 'a', {}, NaN],
  ['a +Inf', 'a', {}, Infinity],
  ['a -Inf', 'a', {}, -Infinity],
  ['a{le="+Inf"} 1.7976931348623157e+308', 'a', { le: '+Inf' }, Number.MAX_VALUE],
  ['a_bucket{le="1"} 3 1.5 # {trace_id="x"} 0.7', 'a_bucket', { le: '1' }, 3],
  ['a_bucket{le="1"} 3 # {trace_id="x"} 0.7', 'a_bucket', { le: '1' }, 3],
];

/** Each alone, and amid lines that are right. */
const MALFORMED = [
  '<html>',
  '{"ready": true}',
  'a',
  'a b',
  'a 1 2 3',
  'a 1,5',
  'a 0x10',
  '9a 1',
  'a-b 1',
  'a{x} 1',
  'a{x=1} 1',
  'a{x="1} 1',
  'a{x="1"',
  'a{x="1" y="2"} 1',
  'a{,} 1',
  'a{x="1",,} 1',
  'a{x="1"}1 x',
  'a{9x="1"} 1',
  'a Infinite',
];

describe('Prometheus text', () => {
  it.each(LINES)('%s', (line, name, labels, value) => {
    const page = `# HELP ${name} Some "text".\n# TYPE ${name} gauge\n\n${line}\n# EOF\n`;
    for (const text of [page, page.replaceAll('\n', '\r\n'), line]) {
      expect(parseMetricsText(text)).toEqual([{ name, labels: new Map(Object.entries(labels)), value }]);
    }
  });

  it.each(MALFORMED)('%s is something else', (line) => {
    expect(parseMetricsText(line)).toBeUndefined();
    expect(parseMetricsText(`a 1\n${line}\nb 2\n`)).toBeUndefined();
  });

  it('nothing is a page without values', () => {
    for (const text of ['', '\n \n', '# only a comment']) expect(parseMetricsText(text)).toEqual([]);
  });

  it('reads back whatever the library writes', async () => {
    const value = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0));
    const text = fc.oneof(fc.string(), fc.constantFrom('\\', '"', '\n', '\\n"', 'a,b="}'));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(text, { maxLength: 5 }), value, async (texts, number) => {
        const registry = new Registry();
        const gauge = new Gauge({ name: 'g', help: 'h', labelNames: ['x'], registers: [registry] });
        for (const x of texts) gauge.set({ x }, number);
        const expected = texts.map((x) => ({ name: 'g', labels: new Map([['x', x]]), value: number }));
        expect(parseMetricsText(await registry.metrics())).toEqual(
          expected.map((sample) => ({ ...sample, value: number === 0 ? 0 : number })),
        );
      }),
    );
  });

  it('never fails, and takes no longer for odd text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        parseMetricsText(text);
        parseMetricsText(`a{x="${text}"} 1`);
      }),
    );
    expect(parseMetricsText(`a{x="${'\\'.repeat(100_001)}"} 1`)).toBeUndefined();
    expect(parseMetricsText(`a${' '.repeat(100_000)}x`)).toBeUndefined();
  });
});

const OURS = [
  'sluice_serving_queue_length{tier="edge"} 3',
  'sluice_serving_queue_capacity{tier="edge"} 32',
  'sluice_host_cpu_others_ratio{tier="edge"} 0.25',
  'sluice_host_memory_available_bytes{tier="edge"} 5000000000',
];
const TRITON = [
  'nv_inference_pending_request_count{model="a",version="1"} 2',
  'nv_inference_pending_request_count{model="b",version="1"} 5',
  'nv_inference_count{model="a",version="1"} 900',
];

describe('figures of a server', () => {
  it.each([
    [OURS, { queueLength: 3, queueCapacity: 32, busyPct: 25, availableBytes: 5e9 }],
    [TRITON, { queueLength: 7 }],
    [[...TRITON, ...OURS.slice(0, 1)], { queueLength: 3 }],
    [['sluice_host_cpu_others_ratio 1.02'], { busyPct: 100 }],
    [['sluice_host_cpu_others_ratio Nan', OURS[1]!], { queueCapacity: 32 }],
    [['sluice_serving_queue_length -1', 'sluice_host_memory_available_bytes +Inf'], undefined],
    [['process_cpu_seconds_total 5'], undefined],
    [[], undefined],
    [[...OURS, '<html>'], undefined],
  ])('%j', (lines, figures) => expect(serverFiguresOf(lines.join('\n'))).toEqual(figures));
});
