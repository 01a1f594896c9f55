import { createCgroup } from '../../bench/cgroup';

/** A limit on the processor time of some processes: makes a tier as slow as wanted, also while it runs. */
export interface CpuCgroup {
  /** With all its threads. */
  add(pid: number): void;
  /** @param processors how many of them its processes may keep busy together, at least 0.05; Infinity: no limit. */
  setProcessors(processors: number): void;
  /** Infinity without a limit. */
  processors(): number;
  /** How often its processes had to wait for the next period so far. */
  throttledPeriods(): number;
  /** Its processes must have ended. */
  remove(): void;
}

/** Shorter than the kernel's default of 100 ms, so that a limit slows every inference rather than some of them. */
const PERIOD_US = 20_000;
/** The kernel's own bound. */
const SHORTEST_QUOTA_US = 1000;

const CONTROLLER = { name: 'cpu', v1File: 'cpu.cfs_quota_us', v2File: 'cpu.max' };
const V1_PERIOD_FILE = 'cpu.cfs_period_us';

/** @returns undefined where this user can't make CPU cgroups; the reason is in `whyNot`. */
export function createCpuCgroup(name: string, whyNot: (reason: string) => void): CpuCgroup | undefined {
  const cgroup = createCgroup(CONTROLLER, name, whyNot);
  if (cgroup === undefined) return undefined;
  const { version, read, write } = cgroup;
  return {
    add: cgroup.add,
    setProcessors: (processors) => {
      const quotaUs = quotaOf(processors);
      if (version === 2) write(CONTROLLER.v2File, `${quotaUs ?? 'max'} ${PERIOD_US}`);
      else {
        write(V1_PERIOD_FILE, String(PERIOD_US));
        write(CONTROLLER.v1File, String(quotaUs ?? -1));
      }
    },
    processors: () => {
      const [quota = '', period] =
        version === 2 ? read(CONTROLLER.v2File).split(' ') : [read(CONTROLLER.v1File), read(V1_PERIOD_FILE)];
      return quota === 'max' || Number(quota) < 0 ? Infinity : Number(quota) / Number(period);
    },
    throttledPeriods: () => Number(/^nr_throttled (\d+)$/m.exec(read('cpu.stat'))?.[1] ?? 0),
    remove: cgroup.remove,
  };
}

/** @returns undefined for no limit. @throws RangeError for less than the kernel takes. */
function quotaOf(processors: number): number | undefined {
  if (processors === Infinity) return undefined;
  const quotaUs = Math.round(processors * PERIOD_US);
  if (quotaUs >= SHORTEST_QUOTA_US) return quotaUs;
  throw new RangeError(
    `A share of processors: expected ${SHORTEST_QUOTA_US / PERIOD_US} or more, found ${processors}`,
  );
}
