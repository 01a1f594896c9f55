import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';

import type { HostClock } from '../host-clock';
import type { Log } from '../state-file';

export interface ServiceManagerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: HostClock;
  readonly log: Log;
  /** Passes a notification on. Node has no datagram sockets, so `systemd-notify` sends it. */
  readonly send?: (notification: string, log: Log) => void;
}

/** Tells systemd, where it started this process and wants to know, that the host is ready, alive and ending. */
export class ServiceManager {
  private stop = (): void => undefined;

  constructor(private readonly options: ServiceManagerOptions) {}

  /** From now on every half of the watchdog's time; an event loop that stands still tells nothing. */
  ready(): void {
    this.tell('READY=1');
    const { env, clock } = this.options;
    const everyMs = Number(env['WATCHDOG_USEC'] ?? 0) / 2000;
    const isForUs = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(process.pid);
    if (!(everyMs > 0) || !isForUs) return;
    const next = (): void => {
      this.stop = clock.after(everyMs, () => {
        this.tell('WATCHDOG=1');
        next();
      });
    };
    next();
  }

  ending(): void {
    this.stop();
    this.tell('STOPPING=1');
  }

  private tell(notification: string): void {
    const { env, send = notify, log } = this.options;
    if (env['NOTIFY_SOCKET'] !== undefined && env['NOTIFY_SOCKET'] !== '') send(notification, log);
  }
}

function notify(notification: string, log: Log): void {
  const child = spawn('systemd-notify', [notification], { stdio: 'ignore' });
  child.once('error', (error) => log(`systemd was not told ${notification}: ${error.message}`));
}

/** Whether what is printed is kept in systemd's journal: a token must not stand there. */
export function isJournal(env: NodeJS.ProcessEnv, descriptor = 1): boolean {
  const stream = env['JOURNAL_STREAM'];
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(descriptor);
  return stream === `${dev}:${ino}`;
}
