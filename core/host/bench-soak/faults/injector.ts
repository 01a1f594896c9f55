import { systemClock } from '../../../base';
import type { SoakDisk } from '../soak-disk';
import { cutEnd, flipBits, weightsOf } from './damaged-block';
import type { DrawnFault } from './draw-faults';
import { NO_FAULTS, writeFaultState, type FaultState } from './fault-state';

export interface InjectorParts {
  /** That the processes look at. */
  readonly stateFile: string;
  readonly disk: SoakDisk;
  readonly dataDir: string;
  /** Whose weights may be damaged. */
  readonly networks: readonly string[];
  /** Ends a process at once. @returns starts it again. */
  readonly kill: (name: 'engine' | 'endpoint' | 'lab') => Promise<() => Promise<void>>;
}

/** How a fault is brought about, for the report. */
export type FaultWay = 'hook' | 'tmpfs' | 'file' | 'SIGKILL';

const HOUR_MS = 3_600_000;

/** Brings faults about. */
export class Injector {
  constructor(private readonly parts: InjectorParts) {}

  /** Lasts as long as the fault. @returns how it was done. */
  async inject(fault: DrawnFault): Promise<{ readonly way: FaultWay; readonly detail: string }> {
    const { luck, durationMs } = fault;
    switch (fault.kind) {
      case 'disk-error': {
        const errorRatio = 0.2 + 0.6 * luck;
        await this.suffer({ errorRatio }, durationMs);
        return { way: 'hook', detail: `EIO for ${Math.round(errorRatio * 100)} % of reads and writes` };
      }
      case 'slow-disk': {
        const slowMs = Math.round(5 + 40 * luck);
        await this.suffer({ slowMs }, durationMs);
        return { way: 'hook', detail: `${slowMs} ms more for each read and write` };
      }
      case 'clock-jump': {
        // An hour back or forth up to a day and more: summer time, a flat battery, a first synchronisation.
        const hours = Math.round((luck < 0.5 ? luck - 0.55 : luck) * 60);
        await this.suffer({ clockOffsetMs: hours * HOUR_MS }, durationMs);
        return { way: 'hook', detail: `the wall clock ${Math.abs(hours)} h ${hours < 0 ? 'back' : 'ahead'}` };
      }
      case 'full-disk':
        return this.fillDisk(durationMs);
      case 'damaged-block':
        return this.damage(luck, durationMs);
      case 'engine-kill':
        return this.killed('engine', durationMs);
      case 'endpoint-kill':
        return this.killed('endpoint', durationMs);
      case 'lab-kill':
        return this.killed('lab', durationMs);
    }
  }

  private async suffer(state: Partial<FaultState>, ms: number): Promise<void> {
    writeFaultState(this.parts.stateFile, { ...NO_FAULTS, ...state });
    try {
      await wait(ms);
    } finally {
      writeFaultState(this.parts.stateFile, NO_FAULTS);
    }
  }

  private async fillDisk(ms: number): Promise<{ readonly way: FaultWay; readonly detail: string }> {
    const { disk } = this.parts;
    if (!disk.isOwn) {
      await this.suffer({ isFull: true }, ms);
      return { way: 'hook', detail: 'ENOSPC for every write' };
    }
    disk.fill();
    try {
      await wait(ms);
    } finally {
      disk.free();
    }
    return { way: 'tmpfs', detail: 'no byte left' };
  }

  private async damage(
    luck: number,
    ms: number,
  ): Promise<{ readonly way: FaultWay; readonly detail: string }> {
    const { networks, dataDir } = this.parts;
    const network = networks[Math.floor(luck * networks.length)] ?? '';
    const path = network === '' ? undefined : weightsOf(dataDir, network);
    if (path === undefined) return { way: 'file', detail: 'there are no weights to damage' };
    const isCut = Math.floor(luck * 1000) % 2 === 0;
    const repair = isCut ? cutEnd(path, luck) : flipBits(path, luck);
    try {
      await wait(ms);
    } finally {
      repair();
    }
    return { way: 'file', detail: `weights of ${network} ${isCut ? 'cut off' : 'with flipped bits'}` };
  }

  private async killed(
    name: 'engine' | 'endpoint' | 'lab',
    ms: number,
  ): Promise<{ readonly way: FaultWay; readonly detail: string }> {
    const start = await this.parts.kill(name);
    await wait(ms / 2);
    await start();
    return { way: 'SIGKILL', detail: `the ${name}, away for ${Math.round(ms / 2)} ms and its start` };
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(ms, resolve));
}
