import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { workerFile } from '../../../base';
import { SluiceError } from '../../../contract';
import type { NewEndpoint, RemoteTier } from '../../../contract';
import type { ShapedLink } from './shaped-link';

export interface TierServerOptions {
  readonly tier: RemoteTier;
  /** The library it serves. */
  readonly dataDir: string;
  readonly models: readonly string[];
  readonly tokenFile: string;
  readonly token: string;
  readonly link: ShapedLink;
}

/** `sluice serve` as a process of its own at the end of a link. */
export class TierServer {
  private constructor(
    readonly child: ChildProcess,
    /** Where it is reached over the link. */
    readonly endpoint: NewEndpoint,
  ) {}

  /** @throws SluiceError `runtime` when it does not start; what it said is on stderr. */
  static async start({
    tier,
    dataDir,
    models,
    tokenFile,
    token,
    link,
  }: TierServerOptions): Promise<TierServer> {
    const args = ['serve', '--tier', tier, '--port', '0', '--host', link.serverHost, '--json'];
    const child = link.spawn(
      process.execPath,
      [workerFile('cli'), ...args, '--token-file', tokenFile, '--models', models.join(',')],
      {
        env: { ...process.env, SLUICE_DATA_DIR: dataDir, SLUICE_THREADS: '1' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const { port } = new URL(await printedUrl(tier, child));
    const { host, port: reached } = await link.connectTo(Number(port));
    return new TierServer(child, { name: tier, tier, url: `http://${host}:${reached}`, token });
  }

  /** Gone at once, with what it was doing. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}

/** Of the JSON document it prints when it is ready. */
function printedUrl(tier: string, child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      if (printed.trimEnd().endsWith('\n}')) resolve((JSON.parse(printed) as { url: string }).url);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const said = printed === '' ? '' : `: ${printed}`;
      reject(
        new SluiceError('runtime', `The ${tier} server ended with ${signal ?? `exit code ${code}`}${said}`),
      );
    });
  });
}
