import { execFile, execFileSync, spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { promisify } from 'node:util';

import { SluiceError } from '../../../contract';
import type { LinkConditions } from './link-lane';

const run = promisify(execFile);

/** A network of its own, joined to this machine's by a pair of virtual cards whose rate can be set. */
export interface NetworkNamespace {
  readonly name: string;
  /** Of this machine on the link. */
  readonly hostAddress: string;
  /** Of the processes inside. */
  readonly address: string;
  /** Whether the kernel can delay too (sch_netem); else a `DelayingProxy` must. */
  readonly canDelay: boolean;
  /** Runs a program inside; it is killed with the namespace. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /**
   * Sets both directions, also while connections are under way.
   * @throws SluiceError `unsupported` for a delay where the kernel can't; `runtime`.
   */
  shape(conditions: LinkConditions): Promise<void>;
  /** Kills what runs inside and removes everything. Done too when this process exits. */
  remove(): void;
}

/** Of names, so that those of processes that were killed are known again. */
const PREFIX = 'sluice';
/** 198.18.0.0/15 is set apart for benchmarks (RFC 2544): nobody's own network. A link takes four addresses. */
const NETWORKS = 2 ** 15;
/** What may wait before the card, as time at the rate. */
const QUEUE_SECONDS = 0.4;
/** What an idle link lets through at once, as time at the rate. */
const BURST_SECONDS = 0.005;
const MTU_BYTES = 1514;
const SMALLEST_BURST_PACKETS = 4;
const SMALLEST_QUEUE_BYTES = 128 * 1024;

let created = 0;

/** @returns undefined where this user or kernel can't; the reason is in `whyNot`. */
export function createNetworkNamespace(whyNot: (reason: string) => void): NetworkNamespace | undefined {
  if (process.platform !== 'linux') {
    whyNot(`network namespaces are Linux's; this is ${process.platform}`);
    return undefined;
  }
  if (process.getuid?.() !== 0) {
    whyNot('only root may make network namespaces');
    return undefined;
  }
  try {
    removeLeftovers();
    return open(names());
  } catch (error) {
    whyNot(problemOf(error));
    return undefined;
  }
}

interface Names {
  readonly name: string;
  readonly outside: string;
  readonly inside: string;
  readonly hostAddress: string;
  readonly address: string;
}

/** Names that tell the process, and a network that no card of this machine is on. */
function names(): Names {
  const taken = ip('-o', '-4', 'addr', 'show');
  for (;;) {
    created += 1;
    const network = (process.pid * 16 + created) % NETWORKS;
    const base = network * 4;
    const at = (host: number): string =>
      `198.${18 + (base >> 16)}.${(base >> 8) & 255}.${(base & 255) + host}`;
    if (taken.includes(` ${at(1)}/`)) continue;
    // Names of cards may have 15 characters.
    const card = `sl${process.pid}-${created}`;
    return {
      name: `${PREFIX}-${process.pid}-${created}`,
      outside: `${card}o`,
      inside: `${card}i`,
      hostAddress: at(1),
      address: at(2),
    };
  }
}

function open({ name, outside, inside, hostAddress, address }: Names): NetworkNamespace {
  const children = new Set<ChildProcess>();
  const remove = (): void => {
    process.off('exit', remove);
    for (const child of children) child.kill('SIGKILL');
    // The card outside takes its peer along, also while something still runs inside.
    attempt('link', 'del', outside);
    attempt('netns', 'del', name);
  };
  process.once('exit', remove);
  try {
    ip('netns', 'add', name);
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name);
    ip('addr', 'add', `${hostAddress}/30`, 'dev', outside);
    ip('link', 'set', outside, 'up');
    ip('-n', name, 'addr', 'add', `${address}/30`, 'dev', inside);
    ip('-n', name, 'link', 'set', inside, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    const cards: readonly (readonly string[])[] = [[outside], [inside, name]];
    const canDelay = hasNetem(outside);
    // Tells now whether the kernel can shape at all.
    execFileSync('tc', qdiscArgs(cards[0]!, { delayMs: 0, bytesPerSec: 1e9 }, canDelay), { stdio: 'pipe' });
    execFileSync('tc', ['qdisc', 'del', 'dev', outside, 'root'], { stdio: 'pipe' });
    return {
      name,
      hostAddress,
      address,
      canDelay,
      spawn: (command, args, options = {}) => {
        const child = spawn('ip', ['netns', 'exec', name, command, ...args], options);
        children.add(child);
        child.once('exit', () => children.delete(child));
        return child;
      },
      shape: async (conditions) => {
        if (conditions.delayMs > 0 && !canDelay) {
          throw new SluiceError('unsupported', 'This kernel has no sch_netem: delay the link by a proxy.');
        }
        await Promise.all(cards.map((card) => shapeCard(card, conditions, canDelay)));
      },
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

async function shapeCard(
  card: readonly string[],
  conditions: LinkConditions,
  canDelay: boolean,
): Promise<void> {
  try {
    await run('tc', qdiscArgs(card, conditions, canDelay));
  } catch (cause) {
    throw new SluiceError('runtime', `Can't shape ${card[0]!}: ${problemOf(cause)}`, {}, { cause });
  }
}

/**
 * Arguments of `tc` that set what one card sends: netem where there is one, else a token bucket.
 * @param card its name, and the namespace it is in when it is not this one.
 */
export function qdiscArgs(
  [device, namespace]: readonly string[],
  { delayMs, bytesPerSec }: LinkConditions,
  canDelay: boolean,
): readonly string[] {
  const start = [...(namespace === undefined ? [] : ['-n', namespace]), 'qdisc', 'replace', 'dev', device!];
  // The largest rate tc takes for one without limit.
  const bytes = Math.round(Math.min(bytesPerSec, 4e9));
  const rate = ['rate', `${bytes * 8}bit`];
  if (canDelay) {
    // What is under way waits in the same queue, so that it holds more.
    const packets = Math.ceil((bytes * (QUEUE_SECONDS + delayMs / 1000)) / MTU_BYTES) + 100;
    return [...start, 'root', 'netem', 'limit', String(packets), 'delay', `${delayMs}ms`, ...rate];
  }
  // Larger packets than the bucket holds are cut up.
  const burst = Math.round(Math.max(SMALLEST_BURST_PACKETS * MTU_BYTES, bytes * BURST_SECONDS));
  const limit = Math.round(Math.max(SMALLEST_QUEUE_BYTES, bytes * QUEUE_SECONDS));
  return [...start, 'root', 'tbf', ...rate, 'burst', String(burst), 'limit', String(limit)];
}

function hasNetem(device: string): boolean {
  try {
    execFileSync('tc', ['qdisc', 'add', 'dev', device, 'root', 'netem', 'delay', '0ms'], { stdio: 'pipe' });
    return true;
  } catch {
    return false; // not in this kernel: what the caller asks
  }
}

/** Namespaces and cards of processes that were killed before they could remove them. */
function removeLeftovers(): void {
  const found = ip('netns', 'list').matchAll(new RegExp(`^${PREFIX}-(\\d+)-(\\d+)`, 'gm'));
  for (const [name, pid, number] of found) {
    if (isAlive(Number(pid))) continue;
    attempt('link', 'del', `sl${pid}-${number}o`);
    attempt('netns', 'del', name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // there is no such process
  }
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
}

/** For removing: what is not there is removed. */
function attempt(...args: readonly string[]): void {
  try {
    ip(...args);
  } catch {
    // It never came to be, or went with its peer.
  }
}

/** What a command that failed said, or that there is none. */
function problemOf(error: unknown): string {
  const { code, path, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string | Buffer };
  if (code === 'ENOENT') return `there is no command "${path ?? ''}"; install iproute2`;
  const said = stderr?.toString().trim() ?? '';
  return said === '' ? message : said;
}
