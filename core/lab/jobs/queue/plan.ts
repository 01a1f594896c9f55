import type { JobNode, JobResources } from '../job-engine';
import { fits, missingOf, subtract } from '../resources';

import { orderOf, type RunningJob, type TurnRules, type WaitingJob } from './waiting-order';

export interface PlanInput extends TurnRules {
  /** In the order they came. */
  readonly waiting: readonly WaitingJob[];
  readonly running: readonly RunningJob[];
  /** `free`: what neither the running jobs nor anybody else has. */
  readonly nodes: readonly JobNode[];
  /** Why a job may not begin now whatever is free, for people. */
  readonly heldBack: (job: WaitingJob) => string | undefined;
  /** As the last plan gave it: a large job waits for one node, not for another each time. */
  readonly reserved: Reservation | undefined;
}

/** The node that is kept for the job whose turn it is, once enough of it is free. */
export interface Reservation {
  readonly key: string;
  readonly node: string;
}

export interface Plan {
  readonly starts: readonly { readonly key: string; readonly node: string }[];
  /** Keys of those that go on waiting, next first, and why each does. */
  readonly reasons: ReadonlyMap<string, string>;
  /** Jobs that no node is large enough for, up or down. */
  readonly impossible: ReadonlyMap<string, string>;
  readonly reserved: Reservation | undefined;
}

/**
 * Decides which jobs begin now, and where. The first whose turn it is and that does not fit gets a node reserved; later
 * ones may begin there only when that can't delay it: in what it leaves free, or when their time limit ends them before
 * it could begin. So a large job waits no longer than what ran when its turn came.
 */
export function planStarts(input: PlanInput): Plan {
  return new Planning(input).plan();
}

class Planning {
  private readonly starts: { key: string; node: string }[] = [];
  private readonly reasons = new Map<string, string>();
  private readonly impossible = new Map<string, string>();
  private readonly running: RunningJob[];
  private readonly free: Map<string, JobResources>;
  private readonly nodes: readonly JobNode[];
  private head: { readonly job: WaitingJob; readonly node: string; readonly beginsByMs: number } | undefined;

  constructor(private readonly input: PlanInput) {
    this.running = [...input.running];
    this.nodes = input.nodes.filter(({ isUp }) => isUp);
    this.free = new Map(this.nodes.map(({ name, free }) => [name, free]));
  }

  plan(): Plan {
    for (const job of orderOf(this.input.waiting, this.running, this.input)) this.place(job);
    const { starts, reasons, impossible, head } = this;
    return { starts, reasons, impossible, reserved: head && { key: head.job.key, node: head.node } };
  }

  private place(job: WaitingJob): void {
    const { nodes } = this.input;
    if (nodes.length > 0 && !nodes.some(({ total }) => fits(job.resources, total))) {
      this.impossible.set(job.key, `it asks for ${this.tooMuch(job)}, more than any node has`);
      return;
    }
    const held = this.input.heldBack(job) ?? this.overLimit(job);
    if (held !== undefined) {
      this.reasons.set(job.key, held);
      return;
    }
    const node = this.bestNode(job);
    if (node !== undefined) this.start(job, node);
    else this.reasons.set(job.key, this.head ? this.waitsBehind(job, this.head) : this.reserve(job));
  }

  private start({ key, user, resources, limitMs }: WaitingJob, node: string): void {
    this.starts.push({ key, node });
    this.running.push({ key, user, node, resources, limitMs, startedMs: this.input.nowMs });
    this.free.set(node, subtract(this.free.get(node)!, resources));
  }

  /** The first it prefers; otherwise without GPUs that it would keep from others, and where the least is left. */
  private bestNode(job: WaitingJob): string | undefined {
    const rank = (name: string): number => {
      const index = job.preferredNodes.indexOf(name);
      return index === -1 ? job.preferredNodes.length : index;
    };
    const open = this.nodes.filter(({ name }) => this.mayBegin(job, name));
    open.sort(
      (a, b) =>
        rank(a.name) - rank(b.name) ||
        a.total.gpus - b.total.gpus ||
        this.free.get(a.name)!.cpus - this.free.get(b.name)!.cpus,
    );
    return open[0]?.name;
  }

  private mayBegin({ resources, limitMs = Infinity }: WaitingJob, node: string): boolean {
    const free = this.free.get(node)!;
    if (!fits(resources, free)) return false;
    if (this.head?.node !== node) return true;
    const { job, beginsByMs } = this.head;
    const endsInTime = beginsByMs < Infinity && this.input.nowMs + limitMs <= beginsByMs;
    return endsInTime || fits(resources, subtract(free, job.resources));
  }

  /** @returns what it waits for. */
  private reserve(job: WaitingJob): string {
    const large = this.nodes.filter(({ total }) => fits(job.resources, total));
    if (large.length === 0) return `waits for a node with ${this.tooMuch(job)} to come back`;
    const { reserved } = this.input;
    const soonest = large
      .map(({ name }) => ({ job, node: name, beginsByMs: this.beginsByMs(job, name) }))
      .sort(
        (a, b) => a.beginsByMs - b.beginsByMs || this.free.get(b.node)!.cpus - this.free.get(a.node)!.cpus,
      );
    const same = soonest.find(({ node }) => reserved?.key === job.key && reserved.node === node);
    this.head = same ?? soonest[0]!;
    return `waits for ${this.missingOn(this.head.node, job)}`;
  }

  /** When enough of a node is free at the latest, by the time limits of what runs there; Infinity: nobody knows. */
  private beginsByMs({ resources }: WaitingJob, node: string): number {
    const ends = this.running
      .filter((job) => job.node === node)
      .map(({ startedMs, limitMs = Infinity, resources: held }) => ({ endMs: startedMs + limitMs, held }))
      .sort((a, b) => a.endMs - b.endMs);
    let free = this.free.get(node)!;
    for (const { endMs, held } of ends) {
      free = add(free, held);
      if (fits(resources, free)) return endMs;
    }
    return Infinity;
  }

  private waitsBehind(job: WaitingJob, head: NonNullable<typeof this.head>): string {
    if (![...this.free.values()].some((free) => fits(job.resources, free)))
      return `waits for ${this.missing(job)}`;
    return `waits for its turn: ${head.job.key} comes first and waits for ${this.missingOn(head.node, head.job)}`;
  }

  private overLimit({ user, resources }: WaitingJob): string | undefined {
    const { mostPerUser: most } = this.input.policy;
    const own = this.running.filter((job) => job.user === user);
    const sum = (of: 'cpus' | 'gpus'): number => own.reduce((all, job) => all + job.resources[of], 0);
    if (own.length + 1 > most.running) return `${user} has ${own.length} jobs running, the most allowed`;
    if (sum('cpus') + resources.cpus > most.cpus)
      return `${user} may have ${most.cpus} CPUs at once, and has ${sum('cpus')}`;
    if (sum('gpus') + resources.gpus > most.gpus)
      return `${user} may have ${most.gpus} GPUs at once, and has ${sum('gpus')}`;
    return undefined;
  }

  private missingOn(node: string, { resources }: WaitingJob): string {
    return missingOf(resources, this.free.get(node)!) || `what others keep free on ${node}`;
  }

  /** What the node that has most of it lacks. */
  private missing({ resources }: WaitingJob): string {
    const lacks = [...this.free.values()].map((free) => missingOf(resources, free));
    return lacks.sort((a, b) => a.length - b.length)[0] ?? 'a node';
  }

  private tooMuch({ resources }: WaitingJob): string {
    const nothing = { cpus: 0, gpus: 0, memoryBytes: 0 };
    const totals = this.input.nodes
      .map(({ total }) => missingOf(resources, total))
      .filter((lack) => lack !== '');
    return totals.sort((a, b) => a.length - b.length)[0] ?? missingOf(resources, nothing);
  }
}

function add(one: JobResources, other: JobResources): JobResources {
  return {
    cpus: one.cpus + other.cpus,
    gpus: one.gpus + other.gpus,
    memoryBytes: one.memoryBytes + other.memoryBytes,
  };
}
