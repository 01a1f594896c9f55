import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startTestServer } from './test-support/test-server';
import type { TestServer } from './test-support/test-server';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const DRIVER = resolve(import.meta.dirname, 'test-support/drive_tritonclient.py');
const TOKEN = 'a-token-of-twenty-characters';
/** The first time, the client is installed. */
const SET_UP_MS = 10 * 60_000;

interface SetUp {
  readonly python?: string;
  readonly problem?: string;
}

let server: TestServer;
let setUp: SetUp;
beforeAll(async () => {
  const { stdout } = await run(process.execPath, [resolve(ROOT, 'scripts/tritonclient.mjs')]);
  setUp = JSON.parse(stdout) as SetUp;
  server = await startTestServer({ token: TOKEN });
}, SET_UP_MS);
afterAll(() => server.close());

interface Seen {
  readonly inferences: number;
  readonly echoes: number;
  readonly [what: string]: unknown;
}

describe('the official Python client', () => {
  it('drives the server over HTTP and gRPC', async (test) => {
    const { python, problem = 'no reason was given' } = setUp;
    if (python === undefined) {
      const message = `tritonclient could not be installed: ${problem}`;
      if (process.env['CI'] === 'true') expect.unreachable(message);
      test.skip(message);
      return;
    }
    const { stdout } = await run(python, [DRIVER, new URL(server.url).host, server.grpcUrl!, TOKEN]);
    const { http, grpc } = JSON.parse(stdout) as { http: Seen; grpc: Seen };
    for (const seen of [http, grpc]) {
      expect(seen).toMatchObject({
        live: true,
        ready: true,
        modelReady: true,
        metadata: { name: 'sluice', extensions: expect.arrayContaining(['binary_tensor_data']) as string[] },
        model: { name: 'pair', versions: ['1'] },
        unloaded: false,
        index: [{ name: 'pair', state: 'UNAVAILABLE', reason: 'unloaded' }],
        loaded: true,
        wrongDatatype: expect.stringContaining('expected datatype FP32, found FP64') as string,
        unknownModel: expect.stringContaining('no model "nobody"') as string,
        noToken: expect.stringContaining('No bearer token') as string,
      });
    }
    expect([http.echoes, grpc.echoes]).toEqual([39, 13]);
    // Both protocols count together; the echoes of FP32 are three over HTTP and one over gRPC.
    expect([http.inferences, grpc.inferences]).toEqual([3, 4]);
  });
});
