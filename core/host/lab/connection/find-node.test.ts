import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { findNode, requireLabNode, type NodeProgram } from './find-node';

let folder: string;
const at = (name: string): string => join(folder, name);

/** A folder with a `node` that says its version. */
function nodeOf(version: string): string {
  mkdirSync(at(version));
  writeFileSync(join(at(version), 'node'), `#!/bin/sh\necho ${version}\n`);
  chmodSync(join(at(version), 'node'), 0o755);
  return at(version);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-node-'));
  for (const version of ['v18.20.0', 'v20.18.9', 'v20.19.0', 'v22.1.0', 'hello']) nodeOf(version);
  mkdirSync(at('empty'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function find(path: readonly string[], own: string, electron?: string, named = ''): Promise<NodeProgram> {
  return findNode({
    env: { PATH: path.map(at).join(':'), SLUICE_NODE: named },
    execPath: '/own',
    versions: { node: own, electron },
  });
}

// Its programs are shell scripts.
describe.skipIf(process.platform === 'win32')('the Node of the lab', () => {
  it('is the one that is named', async () => {
    const named = join(at('v22.1.0'), 'node');
    expect(await find([], '20.19.0', undefined, named)).toEqual({ file: named, environment: {} });
  });

  it('is this one, if it is new enough', async () => {
    expect(await find(['v22.1.0'], '20.19.0')).toEqual({ file: '/own', environment: {} });
    expect(await find([], '24.0.0', '45.4.1')).toEqual({
      file: '/own',
      environment: { ELECTRON_RUN_AS_NODE: '1' },
    });
  });

  it.each<[string, readonly string[], string]>([
    ['the first', ['v20.19.0', 'v22.1.0'], 'v20.19.0'],
    ['behind others', ['empty', 'hello', 'v18.20.0', 'v20.18.9', 'v22.1.0'], 'v22.1.0'],
  ])('is one on the PATH that is new enough: %s', async (_what, path, expected) => {
    expect(await find(path, '18.15.0', '25.1.1')).toEqual({
      file: join(at(expected), 'node'),
      environment: {},
    });
  });

  it('is asked for by a server that is started in another', () => {
    expect(() => requireLabNode({ node: '20.19.0' })).not.toThrow();
    expect(() => requireLabNode({ node: '18.15.0', electron: '25.1.1' })).toThrow(
      /needs Node 20\.19 or newer\. This Electron \(25\.1\.1\) has Node 18\.15\.0\. Install Node/,
    );
  });

  it('is missing with a message that says what to do', async () => {
    await expect(find(['v18.20.0'], '18.15.0', '25.1.1')).rejects.toMatchObject({
      code: 'unsupported',
      message:
        "The lab's server needs Node 20.19 or newer. This Electron (25.1.1) has Node 18.15.0, and the PATH leads to no " +
        'newer one. Install Node, and name it with SLUICE_NODE=/path/to/node where it is not on the PATH; or start ' +
        '"sluice lab serve" yourself.',
    });
    const old = join(at('v20.18.9'), 'node');
    await expect(find([], '24.0.0', undefined, old)).rejects.toThrow(/which is Node 20\.18\.9\./);
    await expect(find([], '24.0.0', undefined, '/none')).rejects.toThrow(/does not start as a Node/);
  });
});
