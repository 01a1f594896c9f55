import { z } from 'zod';

import { PIPELINE_MODES } from '../contract';
import type { MeasuredPoint } from '../contract';
import type { StateFile } from './state-file';

const measured = z.object({
  budgetBytes: z.number(),
  mode: z.enum(PIPELINE_MODES),
  medianMs: z.number(),
  p10Ms: z.number(),
  p90Ms: z.number(),
  runs: z.number(),
});
const note = z.object({ regionsPerImage: z.number().nonnegative(), measured: z.array(measured) });
export const pipelineNotesSchema = z.record(z.string(), note);
export type PipelineNotesData = z.infer<typeof pipelineNotesSchema>;

const KEPT_POINTS = 64;

/** What runs taught about text pipelines, which have no store of their own: regions of an image, and latencies. */
export class PipelineNotes {
  constructor(
    private data: PipelineNotesData,
    private readonly file: StateFile<PipelineNotesData> | undefined,
  ) {}

  /** Text regions of the latest image, which a prediction of its latency needs; 1 before the first. */
  regionsPerImage(pipeline: string): number {
    return this.data[pipeline]?.regionsPerImage ?? 1;
  }

  measured(pipeline: string): readonly MeasuredPoint[] {
    return this.data[pipeline]?.measured ?? [];
  }

  setRegions(pipeline: string, regionsPerImage: number): void {
    if (this.data[pipeline]?.regionsPerImage !== regionsPerImage) this.change(pipeline, { regionsPerImage });
  }

  /** Replaces an earlier measurement of the same mode and budget. */
  addMeasurement(pipeline: string, point: MeasuredPoint): void {
    const others = this.measured(pipeline).filter(
      (old) => old.mode !== point.mode || old.budgetBytes !== point.budgetBytes,
    );
    this.change(pipeline, { measured: [...others, point].slice(-KEPT_POINTS) });
  }

  forget(pipeline: string): void {
    const { [pipeline]: _gone, ...rest } = this.data;
    this.data = rest;
    this.file?.write(this.data);
  }

  private change(pipeline: string, change: Partial<PipelineNotesData[string]>): void {
    const old = this.data[pipeline] ?? { regionsPerImage: 1, measured: [] };
    this.data = { ...this.data, [pipeline]: { ...old, ...change } };
    this.file?.write(this.data);
  }
}
