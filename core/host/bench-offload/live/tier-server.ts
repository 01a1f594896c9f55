import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { workerFile } from '../../../base';
import type { NewEndpoint, RemoteTier } from '../../../contract';
import { printedUrl } from '../../bench/printed-url';
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
