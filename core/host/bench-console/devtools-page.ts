import { WebSocket } from 'ws';
import { z } from 'zod';

import { SluiceError } from '../../contract';

const targetsSchema = z.array(z.object({ type: z.string(), webSocketDebuggerUrl: z.string().optional() }));

const answerSchema = z.object({
  id: z.number().optional(),
  error: z.object({ message: z.string() }).optional(),
  result: z
    .object({
      result: z.object({ value: z.unknown().optional() }).optional(),
      exceptionDetails: z.object({ text: z.string(), exception: z.unknown().optional() }).optional(),
    })
    .optional(),
});
type Answer = z.infer<typeof answerSchema>;

const OPEN_LIMIT_MS = 60_000;
const ASK_PAUSE_MS = 20;

/**
 * The window of an Electron by the Chrome DevTools Protocol. Playwright's connectOverCDP asks for browser contexts, which
 * Electron does not have, and its launcher for Electron holds the main process at its first line.
 */
export class DevtoolsPage {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private asked = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const answer = answerSchema.parse(JSON.parse(data.toString('utf8')));
      if (answer.id === undefined) return; // an event
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
    const end = (): void => {
      for (const settle of this.waiting.values()) settle({ error: { message: 'the window is gone' } });
      this.waiting.clear();
    };
    socket.on('close', end);
    socket.on('error', end);
  }

  /** Waits for the first window. @throws SluiceError `runtime` when none opens within a minute. */
  static async open(port: number): Promise<DevtoolsPage> {
    const giveUpMs = performance.now() + OPEN_LIMIT_MS;
    while (performance.now() < giveUpMs) {
      const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
      const page = targetsSchema.parse(await answer.json()).find(({ type }) => type === 'page');
      if (page?.webSocketDebuggerUrl !== undefined)
        return new DevtoolsPage(await connected(page.webSocketDebuggerUrl));
      await pause(ASK_PAUSE_MS);
    }
    throw new SluiceError('runtime', `No window opened within ${OPEN_LIMIT_MS / 1000} s.`, { port });
  }

  /** The value of a JavaScript expression, awaited when it is a promise. @throws SluiceError `runtime`. */
  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.ask('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    const fault = result?.exceptionDetails;
    if (fault) throw new SluiceError('runtime', `The console's page failed: ${describe(fault)}`);
    return result?.result?.value;
  }

  /** A key of one character, through the browser's input. */
  async press(key: string): Promise<void> {
    const code = { key, text: key, windowsVirtualKeyCode: key.charCodeAt(0) };
    await this.ask('Input.dispatchKeyEvent', { type: 'keyDown', ...code });
    await this.ask('Input.dispatchKeyEvent', { type: 'keyUp', ...code });
  }

  close(): void {
    this.socket.close();
  }

  private async ask(method: string, params: object): Promise<Answer> {
    this.asked += 1;
    const id = this.asked;
    const answered = new Promise<Answer>((resolve) => this.waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params }));
    const answer = await answered;
    if (answer.error) throw new SluiceError('runtime', `${method}: ${answer.error.message}`);
    return answer;
  }
}

function connected(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

function describe({ text, exception }: { readonly text: string; readonly exception?: unknown }): string {
  const told = z.object({ description: z.string() }).safeParse(exception);
  return told.success ? told.data.description : text;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
