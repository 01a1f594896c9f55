import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { WebSocket } from 'ws';

import { workerFile } from '../../base';
import { decodeWire, encodeWire, SluiceError } from '../../contract';
import type {
  EngineMessage,
  EventName,
  Events,
  RequestInput,
  RequestName,
  RequestOutput,
} from '../../contract';

type Listener = (message: EngineMessage) => void;

/** `sluice host` as a process, and a browser's side of its socket. */
export class HostProcess {
  private nextId = 1;
  private readonly listeners = new Set<Listener>();

  private constructor(
    private readonly child: ChildProcess,
    private readonly socket: WebSocket,
    readonly origin: string,
    readonly cookie: string,
  ) {
    socket.on('message', (data: Buffer) => {
      const message = decodeWire(data) as EngineMessage;
      for (const listener of [...this.listeners]) listener(message);
    });
  }

  /** @param isQuiet keeps what it logs to itself. */
  static async start(dataDir: string, isQuiet = false): Promise<HostProcess> {
    const child = spawn(process.execPath, [workerFile('cli'), 'host', '--port', '0', '--json'], {
      env: { ...process.env, SLUICE_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', isQuiet ? 'ignore' : 'inherit'],
    });
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const { url } = JSON.parse(printed.toString('utf8')) as { url: string };
    const { origin } = new URL(url);
    const answer = await fetch(url, { redirect: 'manual' });
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/engine`, { headers: { origin, cookie } });
    await once(socket, 'open');
    return new HostProcess(child, socket, origin, cookie);
  }

  /** @throws SluiceError as the engine sent it. */
  request<N extends RequestName>(request: N, input: RequestInput<N>): Promise<RequestOutput<N>> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const stop = this.listen((message) => {
        if (!('id' in message) || message.id !== id) return;
        stop();
        if (message.reply.ok) resolve(message.reply.value);
        else reject(SluiceError.fromWire(message.reply.error));
      });
      this.socket.send(encodeWire({ id, request, input }));
    });
  }

  /** The first event from now on that `fits`. */
  event<E extends EventName>(event: E, fits: (payload: Events[E]) => boolean): Promise<Events[E]> {
    return new Promise((resolve) => {
      const stop = this.listen((message) => {
        if (!('event' in message) || message.event !== event) return;
        const payload = message.payload as Events[E];
        if (!fits(payload)) return;
        stop();
        resolve(payload);
      });
    });
  }

  /** Starts a run and waits for its end. */
  async run(request: RequestInput<'runs.start'>): Promise<Events['run']> {
    // The end may come in the same packet as the reply, before anybody can ask for this run's.
    const ended = new Map<string, Events['run']>();
    const stop = this.listen((message) => {
      if (!('event' in message) || message.event !== 'run') return;
      if (message.payload.state !== 'running') ended.set(message.payload.id, message.payload);
    });
    const { runId } = await this.request('runs.start', request);
    const record =
      ended.get(runId) ?? this.event('run', ({ id, state }) => id === runId && state !== 'running');
    stop();
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

  private listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
