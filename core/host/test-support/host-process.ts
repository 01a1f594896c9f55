import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { workerFile } from '../../base';
import type { EventName, Events, RequestInput, RequestName, RequestOutput } from '../../contract';
import { HostLink } from '../bench/host-link';
import { printedUrl } from '../bench/printed-url';

/** Longer than any test waits: it is the test that says when something takes too long. */
const PATIENCE_MS = 3_600_000;

/** `sluice host` as a process, and a browser's side of its socket. */
export class HostProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly link: HostLink,
  ) {}

  /** @param isQuiet keeps what it logs to itself. */
  static async start(dataDir: string, isQuiet = false): Promise<HostProcess> {
    const child = spawn(process.execPath, [workerFile('cli'), 'host', '--port', '0', '--json'], {
      env: { ...process.env, SLUICE_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', isQuiet ? 'ignore' : 'inherit'],
    });
    return new HostProcess(child, await HostLink.open(await printedUrl('host', child), PATIENCE_MS));
  }

  get origin(): string {
    return this.link.origin;
  }

  /** Of its session. */
  get cookie(): string {
    return this.link.cookie;
  }

  /** @throws SluiceError as the engine sent it; `engine-down` when it is gone. */
  request<N extends RequestName>(request: N, input: RequestInput<N>): Promise<RequestOutput<N>> {
    const reply = this.link.request(request, input);
    // Of an engine that a test kills, nobody waits for the answers.
    reply.catch(() => undefined);
    return reply;
  }

  /** The first event from now on that `fits`. */
  event<E extends EventName>(event: E, fits: (payload: Events[E]) => boolean): Promise<Events[E]> {
    return this.link.event(event, fits).came;
  }

  /** Starts a run and waits for its end. */
  async run(request: RequestInput<'runs.start'>): Promise<Events['run']> {
    // The end may come in the same packet as the reply, before anybody can ask for this run's.
    const ended = new Map<string, Events['run']>();
    const ends = this.link.event('run', (record) => {
      if (record.state !== 'running') ended.set(record.id, record);
      return false;
    });
    const { runId } = await this.request('runs.start', request);
    const record =
      ended.get(runId) ?? this.event('run', ({ id, state }) => id === runId && state !== 'running');
    ends.forget();
    return record;
  }

  /** Gone at once, like by the kernel's out-of-memory killer. */
  async kill(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGINT');
    await exited;
  }
}
