import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { LabRunDetail, MemoryDelayCurve, RunRecord, TraceColumns } from '../contract';
import { benchReport } from './bench';
import { fileName, figureOf, formatNumber } from './format';
import { labComparison } from './lab-comparison';
import { labReport } from './lab-run';
import { layeringComparison } from './layering-comparison';
import { layeringReport } from './layering-run';
import { escapeText, markup } from './markup';
import { renderPage } from './page';
import type { Report } from './page';

const MIB = 2 ** 20;

function run(text: string, more: Partial<RunRecord> = {}): RunRecord {
  return {
    id: 'a-1',
    model: text,
    mode: 'async',
    budgetBytes: 3 * MIB,
    inputName: text,
    startedAt: '2026-01-02T03:04:05.678Z',
    state: 'done',
    hasTrace: true,
    stats: {
      inferences: 5,
      medianMs: 20,
      p50Ms: 20,
      p99Ms: 30,
      lastMs: 21,
      lastStallMs: 3,
      readBytesLast: MIB,
      missedDeadlines: 0,
    },
    plan: {
      model: text,
      mode: 'async',
      budgetBytes: 3 * MIB,
      parameterMemoryBytes: 2 * MIB,
      ringBytes: MIB,
      residentBytes: MIB,
      constantBytes: 10,
      streamedBytesPerRun: 4 * MIB,
      segments: 2,
      predictedMs: 19,
      placement: ['resident', 'streamed'],
    },
    result: {
      kind: 'text',
      width: 10,
      height: 20,
      lines: [{ text, confidence: 0.5, quad: [0, 0, 1, 0, 1, 1, 0, 1] }],
    },
    ...more,
  };
}

function trace(name: string): TraceColumns {
  return {
    runId: 'a-1',
    layer: Uint32Array.of(0, 0, 0),
    kind: Uint8Array.of(0, 1, 2),
    startUs: Float64Array.of(0, 500, 2000),
    durationUs: Float64Array.of(1500, 1500, 9000),
    bytes: Float64Array.of(MIB, MIB, MIB),
    layerNames: [name],
    ringAtUs: Float64Array.of(0, 1500, 11_000),
    ringBytes: Float64Array.of(0, MIB, 0),
    ringCapacityBytes: MIB,
  };
}

function curve(model: string): MemoryDelayCurve {
  const point = { ringBytes: MIB, residentBytes: 0, residentLayers: 0 };
  return {
    model,
    mode: 'async',
    minimumBytes: MIB,
    totalBytes: 8 * MIB,
    residentMs: 10,
    readLimitMs: 15,
    readBytesPerSec: 1e9,
    points: [
      { ...point, budgetBytes: MIB, predictedMs: 22 },
      { ...point, budgetBytes: 8 * MIB, predictedMs: 10 },
    ],
    measured: [{ budgetBytes: 3 * MIB, mode: 'async', medianMs: 20, p10Ms: 18, p90Ms: 24, runs: 4 }],
  };
}

function labDetail(text: string): LabRunDetail {
  return {
    runId: 'ab'.repeat(16),
    name: text,
    user: text,
    experiment: text,
    state: 'succeeded',
    isLaunched: true,
    createdMs: 1e12,
    startedMs: 1e12,
    endedMs: 1e12 + 65_000,
    program: text,
    params: { [text]: text },
    metrics: { [text]: 0.5, once: Number.NaN },
    tags: { [text]: text },
    entry: text,
    args: [text],
    environment: { [text]: text, API_TOKEN: 'hunter2' },
    forks: [],
    checkpoints: [],
    models: [],
  };
}

function labRun(text: string) {
  const series = {
    runId: 'ab'.repeat(16),
    key: text,
    step: Float64Array.of(0, 1, 2),
    timestampMs: Float64Array.of(1, 2, 3),
    value: Float64Array.of(3, Number.NaN, 1),
  };
  return {
    detail: labDetail(text),
    series: [series],
    artifacts: [{ path: text, isFolder: false, bytes: 5 }],
  };
}

/** Every kind of report, with the same text wherever users can put one. */
function everyReport(text: string): readonly Report[] {
  const whole = { record: run(text), trace: trace(text), curve: curve(text) };
  const failed = {
    record: run(text, { state: 'failed', error: { code: 'io', message: text, details: {} } }),
  };
  const bar = { bar: text, target: text, value: 1, met: false, worst: text };
  return [
    layeringReport(whole),
    layeringReport(failed),
    layeringComparison(whole, { ...whole, record: run(`${text}2`) }),
    labReport(labRun(text)),
    labComparison([labRun(text), labRun(`${text}2`)]),
    benchReport(
      {
        environment: { cpu: text },
        bars: [bar],
        [text]: [{ [text]: text, atMs: 1 }],
        rows: [{ network: text, side: 'resident', mode: 'resident', medianMs: 1 }],
        networks: [],
      },
      text,
    ),
    benchReport(
      {
        exactness: [{ side: text, exactMatchPct: 1 }],
        rows: [{ side: text, contextTokens: 1, tokensPerSec: 2 }],
        peers: [{ side: text }],
      },
      text,
    ),
    benchReport(
      {
        convergence: [{ agent: text, links: text, users: 1, steps: 5, converged: 1 }],
        live: { rows: [{ strategy: text, half: text, meanResponseMs: 3 }] },
      },
      text,
    ),
    benchReport({ samples: [{ atSec: 0, name: text }, { atSec: 1 }, { atSec: 2 }] }, text),
  ];
}

const PROVENANCE = {
  madeAt: '2026-01-02T03:04:05.678Z',
  version: '1.2.3',
  commit: 'abc',
  machine: 'a machine',
  command: 'sluice report',
};
const page = (report: Report, text = ''): string =>
  renderPage(report, { ...PROVENANCE, command: `sluice ${text}` }).html;

/** Tags and attribute names of HTML text, by reading it as a browser's tokenizer does. */
function tagsOf(html: string): readonly string[] {
  const body = html.replace(/<style>[\s\S]*?<\/style>/, '');
  return [...body.matchAll(/<\/?([a-zA-Z][^\s/>]*)((?:\s+[^\s=>"']+(?:="[^"]*")?)*)\s*\/?>/g)].map(
    ([, tag = '', attributes = '']) =>
      `${tag} ${[...attributes.matchAll(/\s([^\s=>"']+)(?:="[^"]*")?/g)].map(([, name]) => name).join(' ')}`,
  );
}

describe('a report', () => {
  const attacks = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onload='alert(1)",
      '</style><script>1</script>',
      '</title><script>1</script>',
      '<!--',
      ']]><svg/onload=1>',
      '&lt;b&gt; &#x3c;',
      '\u202eevil\u0000',
      '${1}`',
      '__proto__',
    ),
  );

  it('lets no text break out: the elements are those of a harmless text', () => {
    const harmless = everyReport('word').map((report) => tagsOf(page(report, 'word')));
    fc.assert(
      fc.property(attacks, (text) => {
        everyReport(text).forEach((report, index) => {
          const html = page(report, text);
          const found = new Set(tagsOf(html));
          const known = new Set(harmless.flat());
          for (const tag of found) expect(known, `report ${index}`).toContain(tag);
          expect(html).not.toMatch(
            /<script|\son\w+=|javascript:/i.test(escapeText(text)) ? /<script/i : /<script|<[^>]*\son\w+=/i,
          );
          expect(html).not.toMatch(/[\u0000\u202a-\u202e]/);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('holds no script, loads nothing, and says so to the browser', () => {
    for (const report of everyReport('word')) {
      const html = page(report);
      expect(html).toMatch(
        /<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/,
      );
      expect(html).not.toMatch(/<(script|link|iframe|object|embed|img|form|base)\b/i);
      expect(html).not.toMatch(/\b(src|href|srcset|action|style)="/i);
      expect(html).not.toMatch(/url\(|@import|https?:/i);
    }
  });

  it('writes no figure that is none', () => {
    for (const report of everyReport('word'))
      expect(page(report)).not.toMatch(/>(undefined|null|\[object Object\])<|="NaN|NaN[ "]|Infinity/);
  });

  it('tells each figure with its unit', () => {
    const html = page(layeringReport({ record: run('net'), trace: trace('conv1'), curve: curve('net') }));
    for (const text of [
      '20.0 ms',
      '3.00 MiB',
      'parameter memory, MiB',
      'latency, ms',
      'Disk, as measured',
      'conv1',
      'role="img"',
    ]) {
      expect(html).toContain(text);
    }
  });

  it('leaves secrets of an environment out', () => {
    const html = page(labReport(labRun('word')));
    expect(html).toContain('API_TOKEN');
    expect(html).not.toContain('hunter2');
  });

  it('says whether two runs answered the same', () => {
    const a = { record: run('net') };
    expect(page(layeringComparison(a, a))).toContain('✓ The same');
    expect(
      page(layeringComparison(a, { record: run('net', { result: { kind: 'tensors', outputs: [] } }) })),
    ).toContain('✗ Not the same');
  });

  it('tells of targets in words, not by colour alone', () => {
    const bars = [
      { bar: 'speed', target: '>= 2', value: 3, met: true },
      { bar: 'loss', target: '0', value: null, met: false },
    ];
    const html = page(benchReport({ bars }, 'x.json'));
    expect(html).toContain('✓ met');
    expect(html).toContain('✗ not met');
    expect(html).toContain('1 of 2');
  });

  it.each([
    [null, /not the JSON/],
    [[], /not the JSON/],
    [{}, /empty/],
    [{ bars: [{ bar: 1 }] }, /bars\.0\.bar/],
    [{ bars: 'none' }, /bars/],
  ])('refuses %j as a bench', (document, message) => {
    expect(() => benchReport(document, 'x.json')).toThrow(message);
  });

  it('takes any other JSON object, whatever is in it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (document) => {
        const { bars: _bars, environment: _environment, ...rest } = document as Record<string, unknown>;
        if (Object.keys(rest).length > 0) expect(page(benchReport(rest, 'x.json'))).toContain('</html>');
      }),
      { numRuns: 100 },
    );
  });
});

describe('texts of reports', () => {
  it('are escaped unless they are markup', () => {
    expect(markup`<b title="${'"<'}">${markup`<i>${'&'}</i>`}${undefined}${[1, '>']}</b>`.html).toBe(
      '<b title="&quot;&lt;"><i>&amp;</i>1&gt;</b>',
    );
  });

  it('name figures in words with units', () => {
    expect(figureOf('medianMs')).toMatchObject({ title: 'median', unit: 'ms' });
    expect(figureOf('tokensPerSec')).toMatchObject({ title: 'tokens a second' });
    expect(figureOf('readBytesPerSec').format(2 ** 20)).toBe('1.00 MiB/s');
    expect([0, 5, 1234.5, 0.00012345, 1e20, -Infinity].map(formatNumber)).toEqual([
      '0',
      '5',
      '1,235',
      '0.0001234',
      '1.000e+20',
      '-∞',
    ]);
  });

  it('make safe file names of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fileName(text)).toMatch(/^[\w-][\w.-]*\.html$/);
      }),
    );
    expect(fileName('Run', '../../etc/passwd')).toBe('Run-..-..-etc-passwd.html');
  });
});
