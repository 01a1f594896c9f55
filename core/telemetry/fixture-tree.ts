import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { HostRoots, TelemetryClock } from './sampler';

/** A made-up `/proc` and `/sys` for tests. */
export interface FixtureTree {
  readonly roots: HostRoots;
  /** Writes files; keys are paths below the tree such as `proc/stat`. */
  write(files: Readonly<Record<string, string>>): void;
  link(path: string, target: string): void;
  remove(): void;
}

export function fixtureTree(files: Readonly<Record<string, string>> = {}): FixtureTree {
  const root = mkdtempSync(join(tmpdir(), 'sluice-telemetry-'));
  const place = (path: string): string => {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    return full;
  };
  const tree: FixtureTree = {
    roots: { proc: join(root, 'proc'), sys: join(root, 'sys') },
    write(more) {
      for (const [path, text] of Object.entries(more)) writeFileSync(place(path), text);
    },
    link: (path, target) => symlinkSync(join(root, target), place(path)),
    remove: () => rmSync(root, { recursive: true }),
  };
  tree.write(files);
  return tree;
}

/** A clock that moves only when told to. */
export class ManualClock implements TelemetryClock {
  nowMs = 0;
  #ticks = new Set<() => void>();

  epochMs(): number {
    return 1_700_000_000_000 + this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  every(_intervalMs: number, tick: () => void): () => void {
    this.#ticks.add(tick);
    return () => this.#ticks.delete(tick);
  }

  get running(): boolean {
    return this.#ticks.size > 0;
  }

  /** Moves time on, fires one tick, and lets the answers arrive. */
  async advance(byMs: number): Promise<void> {
    this.nowMs += byMs;
    for (const tick of this.#ticks) tick();
    await settle();
  }
}

/** Lets pending promise callbacks run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
