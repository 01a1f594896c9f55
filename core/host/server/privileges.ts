import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';

import { SluiceError } from '../../contract';

/** Folders of the user that was. */
const FOLDERS = [
  'XDG_DATA_HOME',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'XDG_STATE_HOME',
  'XDG_RUNTIME_DIR',
] as const;

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Goes on as another user for good: with its groups, its home folder, and no way back.
 * @throws SluiceError `bad-input` when this is not root or there is no such user; `unsupported` on Windows.
 */
export function becomeUser(name: string): void {
  const { setgid, setuid } = process;
  // Missing from the types of Node 20, there since 0.9.4.
  const { initgroups } = process as { initgroups?: (user: string, group: number) => void };
  if (initgroups === undefined || setgid === undefined || setuid === undefined) {
    throw new SluiceError('unsupported', '--user: this system has no users to change to. Leave it out.');
  }
  if (!isRoot()) {
    throw new SluiceError('bad-input', `--user ${name}: only root can become another user. Leave it out.`);
  }
  const group = groupOf(name);
  // Groups first: without root's rights they could not be left any more.
  initgroups.call(process, name, group);
  setgid.call(process, group);
  setuid.call(process, name);
  const { homedir } = userInfo();
  for (const folder of FOLDERS) Reflect.deleteProperty(process.env, folder);
  Object.assign(process.env, { HOME: homedir, USER: name, LOGNAME: name });
}

/** The user's first group, from whatever directory this system has users in. */
function groupOf(name: string): number {
  try {
    // A name that is a number would be taken for one.
    if (!/^[a-z_][a-z0-9_.-]*\$?$/i.test(name)) throw new Error('not a user name');
    return Number(execFileSync('id', ['-g', name], { encoding: 'utf8', stdio: 'pipe' }).trim());
  } catch (cause) {
    throw new SluiceError(
      'bad-input',
      `--user ${name}: there is no such user here.`,
      { user: name },
      { cause },
    );
  }
}
