import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runCli } from '../test-support/run-cli';
import type { CliAnswer } from '../test-support/run-cli';
import { writeZooModel, zooNetwork } from '../../zoo';
import { findChrome } from '../find-chrome';
import { printPdf } from './print-pdf';

let folder: string;
const runs: string[] = [];
const at = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(at(name), 'utf8');
const cli = (...args: string[]): Promise<CliAnswer> => runCli(at('data'), [...args, '--json']);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-reports-'));
  const network = at('tiny-cnn.onnx');
  await writeZooModel(zooNetwork('tiny-cnn'), network, { seed: 1 });
  expect((await cli('models', 'import', network)).code).toBe(0);
  for (const budget of ['160KiB', '200KiB']) {
    const ran = await cli('run', 'tiny-cnn', '--input', 'random', '--budget', budget, '--repeat', '3');
    runs.push(ran.json()['runId'] as string);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sluice report', () => {
  it('makes a page of a run of another process, with its timeline and memory-delay curve', async () => {
    const [first = ''] = runs;
    const made = await cli('report', 'run', first.slice(0, 8), '-o', at('run.html'));
    expect(made.json()).toMatchObject({ path: at('run.html'), format: 'html', title: 'tiny-cnn' });
    const page = read('run.html');
    expect(Buffer.byteLength(page)).toBe(made.json()['bytes']);
    for (const text of [
      'Timeline of the last inference',
      'Memory and delay',
      'measured, median',
      'ONNX Runtime',
      'The likeliest classes',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('writes one with the run, and compares two', async () => {
    const ran = await cli('run', 'tiny-cnn', '--input', 'random', '--report', at('now.html'));
    expect(ran.json()).toMatchObject({ report: at('now.html') });
    expect(read('now.html')).toContain('resident, all weights in memory');
    expect((await cli('report', 'compare', ...runs, '-o', at('both.html'))).code).toBe(0);
    expect(read('both.html')).toContain('✓ The same');
  });

  it('lists what there is, newest first', async () => {
    const { stdout } = await cli('report', 'list');
    const listed = JSON.parse(stdout) as { id: string; hasTrace: boolean }[];
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(runs));
    expect(listed.every(({ hasTrace }) => hasTrace)).toBe(true);
  });

  it('makes a page of every bench that the project keeps', async () => {
    for (const name of ['layering', 'vericache-8192', 'offload', 'lab']) {
      const made = await cli('report', 'bench', `docs/bench/${name}.json`, '-o', at(`${name}.html`));
      expect(made.code, made.stderr).toBe(0);
      expect(read(`${name}.html`)).toMatch(/✓ met[\s\S]*<svg class="plot"/);
    }
  });

  it('makes a page of a run of the lab, and compares several', async () => {
    const program =
      "const {MLFLOW_TRACKING_URI:u,MLFLOW_RUN_ID:run_id}=process.env;const metrics=[3,2,1].map((value,step)=>({key:'loss',value,step,timestamp:1+step}));await fetch(u+'/api/2.0/mlflow/runs/log-batch',{method:'POST',body:JSON.stringify({run_id,metrics,params:[{key:'lr',value:process.argv[2]}]})})";
    writeFileSync(at('train.mjs'), program);
    writeFileSync(at('.sluiceignore'), 'data\n*.html\n*.onnx\n');
    const names: string[] = [];
    for (const rate of ['0.1', '0.2']) {
      const ran = await cli('lab', 'run', '--folder', folder, '-e', 'train.mjs', '--args', rate);
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      names.push(ran.json()['name'] as string);
    }
    expect((await cli('report', 'lab-run', names[0] ?? '', '-o', at('lab.html'))).code).toBe(0);
    expect(read('lab.html')).toMatch(/Parameters[\s\S]*loss[\s\S]*<svg/);
    expect((await cli('report', 'compare', ...names, '-o', at('labs.html'))).code).toBe(0);
    expect(read('labs.html')).toMatch(/What differs[\s\S]*lr[\s\S]*0\.1[\s\S]*0\.2[\s\S]*<svg/);
  });

  it.each([
    [['run', 'nobody'], 'not-found', /no run "nobody"/],
    [['compare', 'latest'], 'bad-input', /two runs/],
    [['bench', 'package.json', '-o', '/nowhere/x.html'], 'io', /write the report/],
    [['bench', 'README.md'], 'bad-input', /no JSON/],
    [['bench', 'no-such-file.json'], 'io', /read/],
  ])('refuses %j', async (args, code, message) => {
    const refused = await cli('report', ...args);
    expect(refused.json()).toMatchObject({ error: { message: expect.stringMatching(message) as string } });
    expect((refused.json()['error'] as { code: string }).code).toMatch(new RegExp(`${code}|not-found`));
  });
});

describe('PDF', () => {
  it('says what to install where there is no browser', async () => {
    await expect(printPdf('<p>', { env: { CHROME_PATH: '/no/chrome' } })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/\/no\/chrome.*CHROME_PATH.*any browser prints/) as string,
    });
  });

  it('is printed by a Chromium that is there', async (context) => {
    let chrome: string | undefined;
    try {
      chrome = findChrome({ purpose: 'test with' });
    } catch {
      context.skip();
    }
    expect(existsSync(chrome ?? '')).toBe(true);
    const pdf = await printPdf('<!doctype html><title>x</title><p>text</p>');
    expect(Buffer.from(pdf.subarray(0, 5)).toString()).toBe('%PDF-');
  });
});
