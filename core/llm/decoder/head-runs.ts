import { BoundRun, type OrtEnvironment, type OrtSession, type OrtTensor, type RunOptions } from '../../ort';
import type { RowRange } from '../source/tensor-reader';
import type { DecoderConfig } from './config';
import { NAMES } from './layer-graphs';
import { PassBuffer } from './pass-buffers';
import type { WeightSteps } from './weight-steps';

interface PartRun {
  readonly run: BoundRun;
  /** Of a head in several parts: where this one's logits come, `[rows, part.count]`. */
  readonly target: PassBuffer;
}

/** The products with the head: one that writes the logits in place, or part after part, copied together. */
export class HeadRuns {
  private readonly runs = new Map<string, PartRun>();
  /** By the size of a part. */
  private readonly targets = new Map<number, PassBuffer>();

  constructor(
    private readonly environment: OrtEnvironment,
    private readonly config: DecoderConfig,
    private readonly steps: WeightSteps,
    private readonly logits: PassBuffer,
  ) {}

  /**
   * Writes the logits of `x [rows, width]`.
   * @param firstStep the step of the head's first part.
   * @returns undefined when all is done. @throws SluiceError as `WeightSteps.acquire`, `runtime`.
   */
  run(rows: number, x: OrtTensor, firstStep: number, options: RunOptions): Promise<void> | undefined {
    const { headParts } = this.steps;
    if (headParts.length > 1) return this.runParts(rows, x, firstStep, options);
    const session = this.steps.acquire(firstStep);
    if (session instanceof Promise) return this.runParts(rows, x, firstStep, options, session);
    this.bound(rows, headParts[0]!, session, x).run.run(options);
    this.steps.release(firstStep);
    return undefined;
  }

  release(): void {
    for (const target of this.targets.values()) target.release();
    this.targets.clear();
  }

  private async runParts(
    rows: number,
    x: OrtTensor,
    firstStep: number,
    options: RunOptions,
    first?: Promise<OrtSession>,
  ): Promise<void> {
    for (const [index, part] of this.steps.headParts.entries()) {
      const session = (index === 0 && first) || this.steps.acquire(firstStep + index);
      const { run, target } = this.bound(rows, part, session instanceof Promise ? await session : session, x);
      run.run(options);
      this.steps.release(firstStep + index);
      if (target !== this.logits) this.copy(rows, part, target.array(rows));
    }
  }

  private copy(rows: number, part: RowRange, from: Float32Array): void {
    const to = this.logits.array(rows);
    for (let row = 0; row < rows; row += 1) {
      to.set(
        from.subarray(row * part.count, (row + 1) * part.count),
        row * this.config.vocabularySize + part.first,
      );
    }
  }

  private bound(rows: number, part: RowRange, session: OrtSession, x: OrtTensor): PartRun {
    const key = `${rows}/${part.first}`;
    let found = this.runs.get(key);
    if (!found) {
      const target = this.targetFor(part);
      const outputs = new Map([[NAMES.logits, target.tensor(rows)]]);
      found = { run: new BoundRun(session, new Map([[NAMES.x, x]]), outputs), target };
      this.runs.set(key, found);
    }
    found.run.setSession(session);
    return found;
  }

  private targetFor(part: RowRange): PassBuffer {
    if (part.count === this.config.vocabularySize) return this.logits;
    const known = this.targets.get(part.count);
    if (known) return known;
    const target = new PassBuffer(this.environment, this.logits.maxTokens, part.count);
    this.targets.set(part.count, target);
    return target;
  }
}
