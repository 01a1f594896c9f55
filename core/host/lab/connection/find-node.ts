import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';

import { SluiceError } from '../../../contract';

/** A program that runs our files as Node does. */
export interface NodeProgram {
  readonly file: string;
  /** Added to its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface NodeSearch {
  readonly env: NodeJS.ProcessEnv;
  /** Of this process. */
  readonly execPath: string;
  readonly versions: { readonly node: string; readonly electron?: string | undefined };
}

/** Oldest version that the lab's libraries load in. */
const OLDEST = { major: 20, minor: 19 };
const ANSWER_WITHIN_MS = 5000;

/**
 * The Node to run the lab's server with: the one `SLUICE_NODE` names, this process's own, or the first on the `PATH` that is
 * new enough. An Electron may be too old.
 * @throws SluiceError `unsupported` that says what was found and what to do.
 */
export async function findNode({ env, execPath, versions }: NodeSearch): Promise<NodeProgram> {
  const named = env['SLUICE_NODE'];
  if (named !== undefined && named !== '') {
    const version = await versionOf(named);
    if (isNewEnough(version)) return { file: named, environment: {} };
    throw unsupported(`SLUICE_NODE names ${named}, which ${saidOf(version)}`);
  }
  const isElectron = versions.electron !== undefined;
  if (isNewEnough(versions.node)) {
    // Packaged ones too: their fuse RunAsNode is on.
    return { file: execPath, environment: isElectron ? { ELECTRON_RUN_AS_NODE: '1' } : {} };
  }
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter((one) => one !== '')) {
    const file = join(folder, process.platform === 'win32' ? 'node.exe' : 'node');
    if (isNewEnough(await versionOf(file))) return { file, environment: {} };
  }
  throw unsupported(`${ownOf(versions)}, and the PATH leads to no newer one`);
}

/** @throws SluiceError `unsupported` where the lab's server can't run in a process of these versions. */
export function requireLabNode(versions: NodeSearch['versions']): void {
  if (!isNewEnough(versions.node)) throw unsupported(ownOf(versions));
}

function ownOf({ node, electron }: NodeSearch['versions']): string {
  return electron === undefined ? `This is Node ${node}` : `This Electron (${electron}) has Node ${node}`;
}

function unsupported(found: string): SluiceError {
  return new SluiceError(
    'unsupported',
    `The lab's server needs Node ${OLDEST.major}.${OLDEST.minor} or newer. ${found}. Install Node, and name it with ` +
      'SLUICE_NODE=/path/to/node where it is not on the PATH; or start "sluice lab serve" yourself.',
  );
}

function saidOf(version: string | undefined): string {
  return version === undefined ? 'does not start as a Node' : `is Node ${version}`;
}

function isNewEnough(version: string | undefined): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)\./.exec(version ?? '') ?? [];
  const known = Number(major);
  return known > OLDEST.major || (known === OLDEST.major && Number(minor) >= OLDEST.minor);
}

/** Undefined for what is not there, or no Node. */
function versionOf(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file, ['--version'], { timeout: ANSWER_WITHIN_MS }, (error, stdout) =>
      resolve(error ? undefined : /^v(\d+\.\d+\.\d+)/.exec(stdout)?.[1]),
    );
  });
}
