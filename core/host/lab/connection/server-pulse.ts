import { systemClock, type Clock } from '../../../base';
import { SluiceError } from '../../../contract';

export interface PulseTimes {
  /** Between two questions while an answer is awaited. */
  readonly everyMs: number;
  /** A server that has not said anything for so long hangs. */
  readonly withinMs: number;
}

/** A server that works hard on a slow machine may be silent for some seconds. */
const TIMES: PulseTimes = { everyMs: 5000, withinMs: 15_000 };

/** How a server is: `silent` takes connections, or swallows them, and says nothing; `gone` refuses them. */
export type Pulse = 'answers' | 'silent' | 'gone';

/**
 * Tells a server that works on its answer from one that hangs. What is asked of a lab may take as long as it does, a
 * packed folder or a log that is followed; meanwhile the server is asked for its health.
 */
export class ServerPulse {
  private readonly waiting = new Set<(silence: SluiceError) => void>();
  private stopAsking: (() => void) | undefined;

  /** @param url of the server, without what is below it. */
  constructor(
    private readonly url: string,
    private readonly times: PulseTimes = TIMES,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Watches the server while an answer is awaited.
   * @param onSilence called when it hangs, each time that is seen. @returns what ends it.
   */
  watch(onSilence: (silence: SluiceError) => void): () => void {
    this.waiting.add(onSilence);
    this.stopAsking ??= this.keepAsking();
    return () => {
      this.waiting.delete(onSilence);
      if (this.waiting.size > 0) return;
      this.stopAsking?.();
      this.stopAsking = undefined;
    };
  }

  /** Asks the server for its health once. */
  async ask(signal?: AbortSignal): Promise<Pulse> {
    const { request } = await import('undici');
    const late = new AbortController();
    const stop = (): void => late.abort();
    const cancel = this.clock.after(this.times.withinMs, stop);
    signal?.addEventListener('abort', stop);
    try {
      const { body } = await request(`${this.url}/health`, { signal: late.signal, headersTimeout: 0 });
      await body.dump();
      return 'answers';
    } catch (cause) {
      return late.signal.aborted || isConnectTimeout(cause) ? 'silent' : 'gone';
    } finally {
      cancel();
      signal?.removeEventListener('abort', stop);
    }
  }

  /** What a server that hangs is called. */
  silence(): SluiceError {
    const { url } = this;
    const silentMs = this.times.withinMs;
    return new SluiceError(
      'timeout',
      `The lab at ${url} has not answered for ${silentMs / 1000} s: its process is stopped, or its machine is too busy ` +
        'or out of reach. Runs go on without it. It is used again as soon as it answers; if it does not, end its process ' +
        'and start it again.',
      { url, silentMs },
    );
  }

  private keepAsking(): () => void {
    const ended = new AbortController();
    let cancel: (() => void) | undefined;
    const next = (): void => {
      cancel = this.clock.after(this.times.everyMs, () => void beat());
    };
    const beat = async (): Promise<void> => {
      const pulse = await this.ask(ended.signal);
      if (ended.signal.aborted) return;
      // Before anybody is told, who may end it.
      next();
      // One that is gone breaks off what it was asked itself, or still answers that before it ends.
      if (pulse === 'silent') for (const tell of [...this.waiting]) tell(this.silence());
    };
    next();
    return () => {
      cancel?.();
      ended.abort();
    };
  }
}

function isConnectTimeout(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_CONNECT_TIMEOUT';
}
