import { SluiceError } from '../../../contract';
import type { JobEngine, JobNode, JobSpec, JobStatus } from '../job-engine';
import { hasEnded } from '../job-state';
import { subtract } from '../resources';

/** An engine whose jobs do what the test says. */
export class FakeEngine implements JobEngine {
  /** Keys, as often as they were submitted. */
  readonly submitted: string[] = [];
  readonly stopped: string[] = [];
  readonly specs = new Map<string, JobSpec>();
  isReachable = true;
  private readonly all = new Map<string, JobStatus>();
  private readonly listeners = new Set<(key: string) => void>();

  constructor(
    readonly name: string,
    private readonly node: JobNode,
    readonly queuesItself = false,
  ) {}

  set(key: string, status: JobStatus): void {
    this.all.set(key, { node: this.node.name, ...status });
    for (const listener of this.listeners) listener(key);
  }

  forget(key: string): void {
    this.all.delete(key);
  }

  async submit(key: string, spec: JobSpec): Promise<void> {
    this.reach();
    this.submitted.push(key);
    if (spec.image !== undefined) throw new SluiceError('unsupported', 'No images here.');
    if (!this.all.has(key)) this.all.set(key, { state: 'queued' });
    this.specs.set(key, spec);
  }

  async statuses(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    this.reach();
    return new Map(keys.flatMap((key) => (this.all.has(key) ? [[key, this.all.get(key)!] as const] : [])));
  }

  async stop(key: string): Promise<void> {
    this.reach();
    this.stopped.push(key);
    this.set(key, { ...this.all.get(key)!, state: 'stopping' });
  }

  async kept(): Promise<readonly string[]> {
    return [...this.all.keys()];
  }

  async clear(key: string): Promise<number> {
    this.all.delete(key);
    return 1;
  }

  async nodes(): Promise<readonly JobNode[]> {
    this.reach();
    const held = [...this.all]
      .filter(([, status]) => !hasEnded(status))
      .map(([key]) => this.specs.get(key)!.resources);
    return [{ ...this.node, free: held.reduce(subtract, this.node.total) }];
  }

  watch(onChange: (key: string) => void): () => void {
    this.listeners.add(onChange);
    return () => this.listeners.delete(onChange);
  }

  async close(): Promise<void> {
    this.listeners.clear();
  }

  private reach(): void {
    if (!this.isReachable) throw new SluiceError('unavailable', 'nobody answers');
  }
}
