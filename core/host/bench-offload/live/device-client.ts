import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

import { workerFile } from '../../../base';
import type { NewEndpoint, TierName } from '../../../contract';
import { dismiss, tell } from '../../bench/commanded-process';
import type {
  AloneTime,
  DeviceCommand,
  PreparedDevice,
  RoundBegun,
  RoundRecord,
  StrategySettings,
} from './live-protocol';

const NAME = 'the device';

/** The process that plays the device, as the bench sees it. One command at a time. */
export class DeviceClient {
  private constructor(readonly child: ChildProcess) {}

  static start(): DeviceClient {
    const child = fork(workerFile('bench-live-device'), {
      env: { ...process.env, SLUICE_THREADS: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return new DeviceClient(child);
  }

  async prepare(folders: Omit<Extract<DeviceCommand, { kind: 'prepare' }>, 'kind'>): Promise<PreparedDevice> {
    return (await this.tell({ kind: 'prepare', ...folders })) as PreparedDevice;
  }

  async connect(endpoints: readonly NewEndpoint[]): Promise<void> {
    await this.tell({ kind: 'connect', endpoints });
  }

  async timeAlone(repeats: number, tiers: readonly TierName[]): Promise<readonly AloneTime[]> {
    return (await this.tell({ kind: 'time-alone', repeats, tiers })) as readonly AloneTime[];
  }

  async open(strategy: StrategySettings): Promise<void> {
    await this.tell({ kind: 'open', strategy });
  }

  /** @param onBegun is told of each round when its requests go out. */
  async rounds(
    strategy: string,
    pausesMs: readonly number[],
    onBegun: (chosen: readonly TierName[]) => void = () => undefined,
  ): Promise<readonly RoundRecord[]> {
    const listen = (message: object): void => {
      if ('event' in message) onBegun((message as RoundBegun).chosen);
    };
    this.child.on('message', listen);
    try {
      return (await this.tell({ kind: 'rounds', strategy, pausesMs })) as readonly RoundRecord[];
    } finally {
      this.child.off('message', listen);
    }
  }

  end(): Promise<void> {
    return dismiss(this.child, NAME, { kind: 'end' });
  }

  private tell(command: DeviceCommand): Promise<unknown> {
    return tell(this.child, NAME, command);
  }
}
