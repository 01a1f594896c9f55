import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { workerFile } from '../../base';
import type { StoreProfile } from '../../layering';
import { dismiss, tell } from '../bench/commanded-process';
import type { MemoryCgroup } from './memory-cgroup';
import type { BurstResult, DiskMeasurement, OpenedSide, SideCommand, SideRequest } from './side-protocol';

/** One side's process, as the bench sees it. */
export class SideClient {
  private constructor(
    private readonly child: ChildProcess,
    readonly request: SideRequest,
    private readonly outputsPath: string,
  ) {}

  /** @param cgroup the process is put into it before it opens its model. */
  static start(request: SideRequest, outputsPath: string, cgroup?: MemoryCgroup): SideClient {
    const child = fork(workerFile('bench-side'), {
      env: { ...process.env, SLUICE_BENCH_OUTPUTS: outputsPath },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    if (cgroup && child.pid !== undefined) cgroup.add(child.pid);
    return new SideClient(child, request, outputsPath);
  }

  async open(): Promise<OpenedSide> {
    return (await this.tell({ kind: 'open', side: this.request })) as OpenedSide;
  }

  async burst(warmUps: number, runs: number): Promise<BurstResult> {
    return (await this.tell({ kind: 'burst', warmUps, runs })) as BurstResult;
  }

  async measureDisk(): Promise<DiskMeasurement> {
    return (await this.tell({ kind: 'measure-disk' })) as DiskMeasurement;
  }

  /** Milliseconds; 0 where nothing is predicted. */
  async predict(profile: StoreProfile): Promise<number> {
    return ((await this.tell({ kind: 'predict', profile })) as { predictedMs: number }).predictedMs;
  }

  async profileRound(): Promise<void> {
    const { storePath, threads } = this.request;
    await this.tell({ kind: 'profile-round', storePath, threads });
  }

  async profile(): Promise<StoreProfile> {
    return ((await this.tell({ kind: 'profile' })) as { profile: StoreProfile }).profile;
  }

  /** Output bytes of the last burst, all outputs joined. */
  outputs(): Uint8Array {
    return readFileSync(this.outputsPath);
  }

  end(): Promise<void> {
    return dismiss(this.child, this.name, { kind: 'end' });
  }

  private get name(): string {
    return `side ${this.request.kind}`;
  }

  private tell(command: SideCommand): Promise<unknown> {
    return tell(this.child, this.name, command);
  }
}
