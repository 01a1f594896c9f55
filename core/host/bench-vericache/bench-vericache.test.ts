import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { tinyChatModel } from '../../llm/test-support/tiny-chat-model';
import { runCli } from '../test-support/run-cli';
import { benchVericache, type VericacheBenchOptions, type VericacheBenchReport } from './index';

let folder: string;
let options: VericacheBenchOptions;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-bench-vericache-'));
  const model = join(folder, 'tiny.gguf');
  writeFileSync(model, tinyChatModel());
  const text = Array.from({ length: 300 }, (_, index) => `Line ${index * 37} tells of ${index}. `).join('');
  writeFileSync(join(folder, 'text'), text);
  options = {
    model,
    text,
    contexts: [448],
    compressors: ['snapkv', 'int8'],
    tokens: 16,
    repeats: 1,
    threads: 1,
    workDir: join(folder, 'work'),
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const unmet = ({ bars }: VericacheBenchReport): readonly string[] =>
  bars.filter(({ met }) => !met).map(({ bar }) => bar);

describe('the benchmark of VeriCache', () => {
  it('has a row for every side, also over a prefix on another node, and leaves nothing behind', async () => {
    mkdirSync(join(folder, 'work'));
    writeFileSync(join(folder, 'work', 'mine'), '');
    const report = await benchVericache({ ...options, only: ['rows'] });
    const names = report.rows.map(({ side, compressor = '', ratio }) => `${side} ${compressor} ${ratio}`);
    expect(names).toEqual([
      'full-memory  1',
      'full-ssd  1',
      'vericache snapkv 4',
      'vericache int8 3.76',
      'vericache snapkv 8',
      'vericache-lookup snapkv 4',
      'remote-prefix snapkv 4',
      'lossy snapkv 4',
      'lossy int8 3.76',
    ]);
    const streaming = report.rows.filter(({ side }) => side !== 'full-memory' && side !== 'lossy');
    expect(new Set(streaming.map(({ budgetBytes }) => budgetBytes)).size).toBe(1);
    for (const row of report.rows) {
      expect(row.peakMemoryBytes).toBeGreaterThanOrEqual(row.fastMemoryBytes);
      expect(row.peakWithinBudget, row.side).toBe(true);
      expect(row.exact || row.side === 'lossy', row.side).toBe(true);
      expect(row.draftMs > 0 || row.verifyMs > 0, row.side).toBe(true);
    }
    const remote = report.rows.find(({ side }) => side === 'remote-prefix')!;
    const keysOf = (row: object): readonly string[] => Object.keys(row).sort();
    expect(keysOf(remote)).toEqual(
      [...keysOf(report.rows[2]!), 'localPrefillMs', 'prefillMs', 'remoteTokens'].sort(),
    );
    expect(remote.remoteTokens).toBe(384);
    expect(remote.readBytesPerToken).toBeGreaterThan(0);
    expect(remote.prefillMs).toBeGreaterThan(0);
    expect(remote.localPrefillMs).toBeGreaterThan(0);
    expect(report).toMatchObject({ exactness: [], peers: [] });
    expect(report).not.toHaveProperty('exactMatchPct');
    expect(report.bars).toHaveLength(6);
    // The others are of speed.
    const kept = report.bars.filter(({ target }) => target === '0');
    expect(kept.map(({ met }) => met)).toEqual([true, true]);
    expect(readdirSync(join(folder, 'work'))).toEqual(['mine']);
  });

  it('compares replies alone, and tells how long the rest takes', async () => {
    const told: string[] = [];
    const log = (line: string): void => void told.push(line);
    const report = await benchVericache({ ...options, only: ['exactness'], prompts: 2, log });
    expect(report).toMatchObject({ rows: [], peers: [], exactMatchPct: 100 });
    expect(report.exactness.map(({ side, compressor }) => `${side} ${compressor}`)).toEqual([
      'vericache snapkv',
      'lossy snapkv',
      'vericache int8',
      'lossy int8',
    ]);
    expect(report.bars).toHaveLength(1);
    expect(unmet(report)).toEqual([]);
    expect(told.some((line) => /prompt 1 \(1 of 2, about \d+ (s|min) left\)/.test(line))).toBe(true);
  });

  it('refuses a part that there is not', async () => {
    const only = ['rows', 'speed'] as unknown as VericacheBenchOptions['only'] & object;
    await expect(benchVericache({ ...options, only })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/rows, exactness, peers; found "speed"/) as string,
    });
  });

  it('interrupted or terminated, ends the other node, and removes its files then or the next time', async () => {
    const { model, workDir } = options;
    const runs = join(workDir!, 'bench-vericache-runs');
    const args = ['bench', 'vericache', '--only', 'rows', '--model', model, '--text', join(folder, 'text')];
    const more = ['--contexts', '448', '--tokens', '16', '--repeats', '1000', '--work-dir', workDir!];
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const answer = await runCli(folder, [...args, ...more, '--json'], /tokens\/s/, signal);
      expect(answer.code, answer.stderr).toBe(signal === 'SIGINT' ? 130 : null);
      const [, url] = /at (http:\/\/127\.0\.0\.1:\d+)/.exec(answer.stderr) ?? [];
      await vi.waitFor(() => expect(fetch(`${url}/v2`)).rejects.toThrow(/fetch failed/), {
        timeout: 10_000,
      });
    }
    expect(readdirSync(runs)).toEqual([]);
  });
});
