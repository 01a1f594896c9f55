import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

type Answer = (response: ServerResponse, request: ScriptedRequest) => void;

/** Somebody else's server: answers as a test says, and remembers what it was asked. */
export class ScriptedServer {
  readonly requests: ScriptedRequest[] = [];

  private constructor(
    private readonly server: Server,
    /** May be changed at any time. */
    public answer: Answer,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('error', () => undefined);
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const asked = { method, path: url, headers, body: Buffer.concat(chunks) };
        this.requests.push(asked);
        this.answer(response, asked);
      });
    });
  }

  static async start(answer: Answer, port = 0): Promise<ScriptedServer> {
    const server = createServer();
    const scripted = new ScriptedServer(server, answer);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return scripted;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
