import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Another user of this machine that a job runs as. */
export interface OtherUser {
  /** Of user and group; nobody else has it. */
  readonly id: number;
  /** Goes before the job's command. */
  readonly prefix: readonly string[];
}

/** Numbers that systemd keeps for users that exist while a service runs (systemd.io, "Users, Groups, UIDs and GIDs"). */
const FIRST_ID = 61_184;
const IDS = 4_336;
const PROBE_MS = 10_000;

/**
 * How inference jobs are run so that they can't read what is the server's. Only root can: it gives each a user of its own,
 * by `setpriv` (util-linux), and where the system lets it no network, by `unshare`.
 */
export class Isolation {
  private constructor(private readonly wrapper: readonly string[]) {}

  /** @returns undefined when this process may not, or the tools are not there: jobs are this user's then. */
  static async find(): Promise<Isolation | undefined> {
    if (process.getuid?.() !== 0) return undefined;
    for (const wrapper of [['unshare', '--net', '--'], []]) {
      const isolation = new Isolation(wrapper);
      const [program, ...args] = [...isolation.userFor(0).prefix, 'true'];
      const works = await promisify(execFile)(program, args, { timeout: PROBE_MS }).then(
        () => true,
        () => false,
      );
      if (works) return isolation;
    }
    return undefined;
  }

  /** @param number the submission's: those that run at once have users of their own. */
  userFor(number: number): OtherUser {
    const id = FIRST_ID + (number % IDS);
    const asUser = ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', '--no-new-privs', '--'];
    return { id, prefix: [...this.wrapper, ...asUser] };
  }
}
