import { randomUUID } from 'node:crypto';

import { systemClock, type Random } from '../../base';
import { SluiceError } from '../../contract';
import { LabApi } from '../lab/connection/lab-api';
import { readServerFile } from '../lab/connection/server-file';
import { FAULT_VARIABLES } from './faults/fault-state';
import { workerFile } from '../../base';
import { freePort } from '../bench/free-port';
import { HostLink } from '../bench/host-link';
import { processesWith } from './processes/process-table';
import { SoakProcess } from './processes/soak-process';
import { noHost, type SoakWorld } from './soak-world';

/** Marks every process of a soak, however it came about. */
const MARK_VARIABLE = 'SLUICE_SOAK_MARK';
const USER = 'soak';

export interface MachinesOptions {
  readonly folder: string;
  readonly workFolder: string;
  readonly dataDir: string;
  readonly labFolder: string;
  readonly stateFile: string;
  readonly seed: number;
  readonly random: Random;
  /** What the endpoint serves. */
  readonly served: readonly string[];
}

/** The long-lived processes of a soak, and the way to them. */
export class Machines implements SoakWorld {
  readonly engineKillsMs: number[] = [];
  readonly deaths: { readonly name: string; readonly how: string }[] = [];
  readonly engine: SoakProcess;
  readonly endpoint: SoakProcess;
  readonly labServer: SoakProcess;
  private link: HostLink | undefined;

  private constructor(
    private readonly options: MachinesOptions,
    private readonly mark: string,
    readonly endpointUrl: string,
    readonly labUrl: string,
  ) {
    const env = {
      ...process.env,
      SLUICE_DATA_DIR: options.dataDir,
      NODE_OPTIONS: `--require ${JSON.stringify(workerFile('bench-soak-faults'))}`,
      [MARK_VARIABLE]: mark,
      [FAULT_VARIABLES.file]: options.stateFile,
      [FAULT_VARIABLES.folder]: options.folder,
      [FAULT_VARIABLES.seed]: String(options.seed),
      [FAULT_VARIABLES.memory]: options.workFolder,
    };
    const onDeath = (name: string, how: string): void => this.died(name, how);
    const of = (name: SoakProcess['name'], args: readonly string[]): SoakProcess =>
      new SoakProcess({ name, args, env, onDeath });
    const port = (url: string): string => new URL(url).port;
    this.engine = of('engine', ['host', '--port', '0']);
    this.endpoint = of('endpoint', [
      ...['serve', '--tier', 'edge', '--port', port(endpointUrl)],
      ...['--models', options.served.join(',')],
    ]);
    this.labServer = of('lab', [
      ...['lab', 'serve', '--lab-dir', options.labFolder, '--port', port(labUrl)],
      ...['--cpus', '2'],
    ]);
  }

  static async make(options: MachinesOptions): Promise<Machines> {
    const urls = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
    return new Machines(options, randomUUID(), urls[0]!, urls[1]!);
  }

  get workFolder(): string {
    return this.options.workFolder;
  }

  get dataDir(): string {
    return this.options.dataDir;
  }

  get labFolder(): string {
    return this.options.labFolder;
  }

  get random(): Random {
    return this.options.random;
  }

  get all(): readonly SoakProcess[] {
    return [this.engine, this.endpoint, this.labServer];
  }

  readonly nowMs = (): number => systemClock.nowMs();

  readonly host = (): HostLink => {
    if (this.link) return this.link;
    throw noHost();
  };

  async lab(): Promise<LabApi> {
    const address = await readServerFile(this.labFolder);
    if (address) return new LabApi(address.url, address.token, USER);
    throw new SluiceError('unavailable', `No server serves the lab in ${this.labFolder}.`);
  }

  async start(name: SoakProcess['name']): Promise<void> {
    const url = await this.named(name).start();
    if (name === 'engine') this.link = await HostLink.open(url);
  }

  async kill(name: SoakProcess['name']): Promise<void> {
    if (name === 'engine') this.engineKillsMs.push(systemClock.nowMs());
    await this.named(name).kill();
    if (name === 'engine') this.link = undefined;
  }

  /** As a service manager stops them. @returns processes of the soak that are still there. */
  async stop(): Promise<readonly string[]> {
    await this.link?.close();
    await Promise.all(this.all.map((process) => process.stop()));
    return this.leftBehind();
  }

  /** Programs that the lab started may need a moment to see that nobody is there. */
  private async leftBehind(): Promise<readonly string[]> {
    for (let tries = 0; ; tries += 1) {
      const found = processesWith(`${MARK_VARIABLE}=${this.mark}`);
      if (found.length === 0 || tries === LOOKS) return found;
      await new Promise<void>((resolve) => void systemClock.after(LOOK_EVERY_MS, resolve));
    }
  }

  private named(name: SoakProcess['name']): SoakProcess {
    return this.all.find((process) => process.name === name)!;
  }

  /** Tries until it starts: the disk may still fail. */
  private async revive(name: SoakProcess['name']): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.start(name);
        return;
      } catch (thrown) {
        if (tries === REVIVALS) this.deaths.push({ name, how: SluiceError.from(thrown).message });
        if (tries === REVIVALS) return;
        await new Promise<void>((resolve) => void systemClock.after(REVIVE_EVERY_MS, resolve));
      }
    }
  }

  /** Starts it again, as whoever looks after it would. */
  private died(name: string, how: string): void {
    this.deaths.push({ name, how });
    if (name === 'engine') {
      this.engineKillsMs.push(systemClock.nowMs());
      this.link = undefined;
    }
    void this.revive(name as SoakProcess['name']);
  }
}

const REVIVALS = 60;
const REVIVE_EVERY_MS = 500;
const LOOKS = 50;
const LOOK_EVERY_MS = 100;
