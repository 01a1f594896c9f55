import type { ChildProcess } from 'node:child_process';

import { SluiceError } from '../../contract';
import type { WireError } from '../../contract';

/** What a process answers to each command; other messages of it are none of this. */
type Reply =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: WireError };

/**
 * Sends a command to a process that calls `obey`, and waits for what it came to. One command at a time.
 * @param name of the process, for messages.
 * @throws SluiceError as the process sent it; `runtime` when it ended.
 */
export function tell(child: ChildProcess, name: string, command: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      finish();
    };
    const onMessage = (message: object): void => {
      if (!('ok' in message)) return;
      const reply = message as Reply;
      settle(() => (reply.ok ? resolve(reply.value) : reject(SluiceError.fromWire(reply.error))));
    };
    const onExit = (code: number | null, signal: string | null): void => {
      const reason = signal ?? `exit code ${code}`;
      settle(() =>
        reject(new SluiceError('runtime', `The process of ${name} ended with ${reason}.`, { reason })),
      );
    };
    child.on('message', onMessage);
    child.once('exit', onExit);
    child.send(command, (error) => {
      if (error) onExit(null, error.message);
    });
  });
}

/** Lets the `last` command end the process; kills it when it does not. Does nothing when it has ended. */
export async function dismiss(child: ChildProcess, name: string, last: object): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await tell(child, name, last).catch(() => child.kill('SIGKILL'));
  await gone;
}

/**
 * Carries out what the parent process tells, and ends with it.
 * @param isLast a command after whose answer this process ends.
 */
export function obey<Command>(
  handle: (command: Command) => Promise<unknown>,
  isLast: (command: Command) => boolean,
): void {
  process.on('message', (command: Command) => {
    void answer(handle(command)).then((reply) => {
      process.send?.(reply, undefined, undefined, () => {
        if (isLast(command)) process.exit(0);
      });
    });
  });
  process.once('disconnect', () => process.exit(1));
}

async function answer(work: Promise<unknown>): Promise<Reply> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    return { ok: false, error: SluiceError.from(error).toWire() };
  }
}
