import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PIPELINE_MODES } from '../contract';
import type { ErrorCode, ModelDetail } from '../contract';
import { writeZooModel, zooNetwork } from '../zoo';
import { runCli } from './test-support/run-cli';
import type { CliAnswer } from './test-support/run-cli';

let folder: string;
let data: string;
let network: string;
const cli = (...args: string[]): Promise<CliAnswer> => runCli(data, args);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  data = join(folder, 'data');
  network = join(folder, 'tiny-cnn.onnx');
  await writeZooModel(zooNetwork('tiny-cnn'), network, { seed: 1 });
  writeFileSync(join(folder, 'notes.txt'), 'not a network');
  writeFileSync(join(folder, 'cut.onnx'), readFileSync(network).subarray(0, 200));
  const imported = await cli('models', 'import', network, '--json');
  expect(imported.stderr).toContain('pack');
  expect(imported.json()).toMatchObject({
    name: 'tiny-cnn',
    state: 'ready',
    task: { kind: 'classification' },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('sluice run', () => {
  it('gives the same answer, bit for bit, in every mode', async () => {
    const results: unknown[] = [];
    for (const mode of PIPELINE_MODES) {
      const budget = mode === 'resident' ? [] : ['--budget', '160KiB'];
      const ran = await cli('run', 'tiny-cnn', '--input', 'random', '--mode', mode, ...budget, '--json');
      expect(ran.stderr).toBe('');
      const answer = ran.json();
      expect(answer).toMatchObject({ model: 'tiny-cnn', mode, inferences: 1, missedDeadlines: 0 });
      expect(answer['medianMs']).toBeGreaterThan(0);
      expect(answer['parameterMemoryBytes']).toBeLessThanOrEqual(answer['budgetBytes'] as number);
      results.push(answer['result']);
    }
    expect(results[0]).toMatchObject({ kind: 'classification' });
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it('repeats, keeps a period, and writes a trace', async () => {
    const trace = join(folder, 'trace.json');
    const args = ['--budget', '160KiB', '--repeat', '5', '--period', '20', '--trace', trace];
    const ran = await cli('run', 'tiny-cnn', '--input', 'random', ...args);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/5 inferences: median [\d.]+ ms, p99 .* deadlines missed/);
    const { traceEvents } = JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: { ph: string }[] };
    expect(traceEvents.filter(({ ph }) => ph === 'X').length).toBeGreaterThan(0);
  });

  it('SIGINT cancels', async () => {
    const args = ['run', 'tiny-cnn', '--input', 'random', '--repeat', '1000000', '--json'];
    const ran = await runCli(data, args, /running/);
    expect(ran.code).toBe(130);
    expect(ran.json()).toMatchObject({ error: { code: 'cancelled' } });
  });
});

describe('sluice models', () => {
  it('lists and inspects', async () => {
    expect((await cli('models', 'list')).stdout).toMatch(/^name .*\ntiny-cnn +classification +ready +cpu/);
    const detail = (await cli('models', 'inspect', 'tiny-cnn', '--json')).json();
    expect(detail['layerList']).toHaveLength(detail['layers'] as number);
  });

  it('verify names the layer with a flipped bit, and the run refuses it', async () => {
    expect(await cli('models', 'import', network, '--name', 'damaged')).toMatchObject({ code: 0 });
    const detail = (await cli('models', 'inspect', 'damaged', '--json')).json() as unknown as ModelDetail;
    const layer = detail.layerList.find(({ weightBytes }) => weightBytes > 0);
    flipBit(join(detail.storePath, 'weights.bin'), (layer?.fileOffset ?? 0) + 16);
    const report = await cli('models', 'verify', 'damaged', '--json');
    expect(report.code).toBe(1);
    expect(report.json()).toMatchObject({ ok: false, faults: [{ layer: layer?.name }] });
    const ran = await cli('run', 'damaged', '--input', 'random', '--json');
    expect(ran.code).toBe(1);
    expect(ran.json()).toMatchObject({ error: { code: 'corrupt-store' } });
    expect(await cli('models', 'import', network, '--name', 'damaged', '--replace')).toMatchObject({
      code: 0,
    });
    expect(await cli('models', 'verify', 'damaged')).toMatchObject({ code: 0 });
    expect(await cli('models', 'remove', 'damaged')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Removed damaged; [\d.]+ KiB freed\.\n$/) as string,
    });
    expect(readdirSync(join(data, 'models'))).not.toContain('.removed');
  });

  it.each([/start/, /pack/, /profile/])('SIGINT while importing (%s) leaves nothing', async (phase) => {
    const args = ['models', 'import', network, '--name', 'stopped', '--json'];
    const stopped = await runCli(data, args, phase);
    expect(stopped.code).toBe(130);
    expect(stopped.json()).toMatchObject({ error: { code: 'cancelled' } });
    const { stdout } = await cli('models', 'list', '--json');
    expect(stdout).not.toContain('stopped');
  });
});

/** [arguments, exit code, error code, message] */
const BAD: readonly (readonly [readonly string[], number, ErrorCode, RegExp])[] = [
  [['frobnicate'], 2, 'bad-input', /unknown command 'frobnicate'/],
  [['models', 'list', '--wrong'], 2, 'bad-input', /unknown option '--wrong'/],
  [['models', 'inspect'], 2, 'bad-input', /missing required argument 'name'/],
  [['models', 'inspect', 'nobody'], 2, 'not-found', /nobody/],
  [['models', 'remove', '../data'], 2, 'bad-input', /name/],
  [['models', 'import'], 2, 'bad-input', /FILE or --example/],
  [['models', 'import', '/no/such.onnx'], 2, 'not-found', /such\.onnx/],
  [['models', 'import', 'NETWORK'], 1, 'conflict', /--replace/],
  [['models', 'import', 'FOLDER/notes.txt'], 2, 'bad-model', /ONNX/i],
  [['models', 'import', 'FOLDER/cut.onnx'], 2, 'bad-model', /./],
  [['run', 'tiny-cnn'], 2, 'bad-input', /--input/],
  [['run', 'nobody', '--input', 'random'], 2, 'not-found', /nobody/],
  [['run', 'tiny-cnn', '--input', 'random', '--budget', 'much'], 2, 'bad-input', /--budget: .*"much"/],
  [['run', 'tiny-cnn', '--input', 'random', '--budget', '1'], 2, 'budget-too-small', /\d/],
  [['run', 'tiny-cnn', '--input', 'random', '--mode', 'sync'], 2, 'bad-input', /needs --budget/],
  [['run', 'tiny-cnn', '--input', 'random', '--mode', 'fast'], 2, 'bad-input', /Allowed choices/],
  [['run', 'tiny-cnn', '--input', 'random', '--repeat', '0'], 2, 'bad-input', /whole number/],
  [['run', 'tiny-cnn', '--input', 'no.png'], 2, 'not-found', /no\.png/],
  [['run', 'tiny-cnn', '--input', 'example:cat'], 2, 'not-found', /receipt, sign/],
  [['host', '--port', '99999'], 2, 'bad-input', /0 to 65535/],
  [['host', '--host', '0.0.0.0'], 2, 'bad-input', /--tls self-signed/],
  [['host', '--tls', 'magic'], 2, 'bad-input', /self-signed/],
  [['host', '--tls-cert', 'c.pem'], 2, 'bad-input', /both --tls-cert and --tls-key/],
  [['host', '--token-file', '/nowhere/token'], 2, 'not-found', /no file/],
  [['bench', 'layering', '--networks', 'nonet'], 2, 'not-found', /nonet/],
];

describe('what goes wrong', () => {
  it.each(BAD)('%j exits with %i, %s', async (args, code, error, message) => {
    const named = args.map((arg) => arg.replace('NETWORK', network).replace('FOLDER', folder));
    const answer = await cli(...named, '--json');
    expect(answer.json()).toMatchObject({
      error: { code: error, message: expect.stringMatching(message) as string },
    });
    expect(answer.code).toBe(code);
  });

  it('without --json the message goes to stderr, and nothing to stdout', async () => {
    const answer = await cli('models', 'inspect', 'nobody');
    expect(answer).toMatchObject({ code: 2, stdout: '' });
    expect(answer.stderr).toMatch(/^sluice: .*nobody/);
  });

  it('sends a terminal nothing that steers it', async () => {
    const name = 'a\u001b]0;b\u0007\u009b2J\u202ec';
    for (const json of [[], ['--json']]) {
      const { stdout, stderr } = await cli(...json, 'models', 'inspect', name);
      expect(stdout + stderr).toContain('a\\u001b]0;b\\u0007\\u009b2J\\u202ec');
      expect(stdout + stderr).toMatch(/^[^\u007f-\u009f\u202e]*$/);
      expect(stdout + stderr).not.toContain('\u001b');
    }
  });

  it('a misspelt command is told in one sentence, with the likely one', async () => {
    expect((await cli('runn')).stderr).toBe(
      `sluice: unknown command 'runn'. Did you mean run? See "sluice --help".\n`,
    );
    expect((await cli('models', 'remove')).stderr).toBe(
      `sluice: missing required argument 'name'. See "sluice models remove --help".\n`,
    );
  });

  it('a command that is not whole shows what there is', async () => {
    const models = await cli('models');
    expect(models).toMatchObject({ code: 2, stdout: '' });
    expect(models.stderr).toMatch(/^Usage: sluice models [^]*remove <name>[^]*\n$/);
    expect(models.stderr).not.toContain('outputHelp');
    expect((await cli('models', '--json')).json()).toMatchObject({
      error: { code: 'bad-input', message: 'a command is missing. See "sluice models --help".' },
    });
  });

  it('help and version are no failures', async () => {
    expect(await cli('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\./) as string,
    });
    expect(await cli('run', '--help')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('--budget') as string,
    });
  });
});

describe('sluice host', () => {
  it('prints its address, serves it, and ends with SIGINT', async () => {
    const ended = await runCli(data, ['host', '--port', '0', '--json'], /dataDir/);
    expect(ended.code).toBe(0);
    expect(ended.json()).toMatchObject({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/\?token=/) as string,
    });
  });

  it('tells its certificate’s fingerprint, the same each time, and ends with SIGTERM', async () => {
    const args = ['host', '--port', '0', '--tls', 'self-signed', '--json'];
    const first = await runCli(data, args, /dataDir/, 'SIGTERM');
    const again = await runCli(data, args, /dataDir/, 'SIGTERM');
    expect([first.code, again.code]).toEqual([0, 0]);
    expect(first.json()).toMatchObject({
      url: expect.stringMatching(/^https:/) as string,
      certificateFingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/) as string,
    });
    expect(again.json()['certificateFingerprint']).toBe(first.json()['certificateFingerprint']);
  });

  it('shows its token once, and another when asked', async () => {
    const first = await cli('host', 'token', '--json');
    expect(first).toMatchObject({ code: 0 });
    const token = first.json()['token'] as string;
    expect(token).toMatch(/^[\w-]{43}$/);
    const again = await cli('host', 'token', '--json');
    expect(again).toMatchObject({ code: 1 });
    expect(again.json()).toMatchObject({ error: { code: 'conflict' } });
    expect(again.stdout).not.toContain(token);
    expect((await cli('host', 'token', '--rotate', '--json')).json()['token']).not.toBe(token);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'becomes another user for good before it touches the folder',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-nobody-'));
      chmodSync(folder, 0o777);
      try {
        const port = ['host', '--port', '0', '--user', 'nobody', '--tls', 'self-signed', '--json'];
        expect(await runCli(folder, port, /dataDir/)).toMatchObject({ code: 0 });
        const { uid } = statSync(join(folder, 'host', 'certificate-key.pem'));
        expect(uid).toBe(statSync(join(folder, 'models')).uid);
        expect(uid).not.toBe(0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

function flipBit(path: string, offset: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  writeSync(file, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, offset);
  closeSync(file);
}
