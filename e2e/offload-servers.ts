import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { DelayingProxy } from '../core/host/bench-offload/live/delaying-proxy';

const CLI = resolve(__dirname, '../out/main/cli.js');

/** A server as an operator starts it, behind a link that can be made worse. */
export interface RemoteServer {
  readonly url: string;
  readonly link: DelayingProxy;
  /** Gone at once, as by a power cut. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Servers on one library; all end with `stopAll`. */
export class RemoteServers {
  private readonly servers: RemoteServer[] = [];
  private readonly tokenFile: string;

  constructor(
    private readonly dataDir: string,
    folder: string,
    readonly token: string,
  ) {
    this.tokenFile = join(folder, 'server-token');
    writeFileSync(this.tokenFile, token, { mode: 0o600 });
  }

  async start(tier: 'edge' | 'cloud', delayMs: number): Promise<RemoteServer> {
    const args = ['serve', '--tier', tier, '--port', '0', '--token-file', this.tokenFile, '--json'];
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...process.env, SLUICE_DATA_DIR: this.dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(child.stdout, 'data')) as [Buffer];
    const { port } = new URL((JSON.parse(printed.toString('utf8')) as { url: string }).url);
    const conditions = { delayMs };
    const link = await DelayingProxy.start({ host: '127.0.0.1', port: Number(port), conditions });
    const server = {
      url: `http://127.0.0.1:${link.port}`,
      link,
      kill: () => end(child, 'SIGKILL'),
      stop: async () => {
        await end(child, 'SIGTERM');
        await link.close();
      },
    };
    this.servers.push(server);
    return server;
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
