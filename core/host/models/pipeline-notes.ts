import { join } from 'node:path';

import { z } from 'zod';

import { PIPELINE_MODES } from '../../contract';
import type { MeasuredPoint } from '../../contract';
import { withMeasurement } from '../../layering';
import { StateFile } from '../state-file';
import type { Log } from '../state-file';

const NOTES_FILE = 'notes.json';
/** Kinds of images whose latencies are kept. */
const KEPT_KINDS = 8;

const point = z.object({
  budgetBytes: z.number(),
  mode: z.enum(PIPELINE_MODES),
  medianMs: z.number(),
  p10Ms: z.number(),
  p90Ms: z.number(),
  runs: z.number(),
});
const notesSchema = z.object({
  regionsPerImage: z.number().nonnegative(),
  /** Latencies by the text regions that the image had; the latest kind of image last. */
  measured: z.array(z.object({ regions: z.number().nonnegative(), points: z.array(point) })),
});
type Notes = z.infer<typeof notesSchema>;

const NOTHING_KNOWN: Notes = { regionsPerImage: 1, measured: [] };

/**
 * What runs taught about text pipelines, which have no store of their own: regions of an image, and latencies. Kept in
 * the pipeline's folder of the library, where runs of other processes add theirs.
 */
export class PipelineNotes {
  private readonly files = new Map<string, StateFile<Notes>>();

  constructor(
    private readonly folderOf: (pipeline: string) => string,
    private readonly log: Log,
  ) {}

  /** Text regions of the latest image, which a prediction of its latency needs; 1 before the first. */
  regionsPerImage(pipeline: string): number {
    return this.notes(pipeline).regionsPerImage;
  }

  /** Latencies of images like the latest: others took longer or shorter for reasons of their own. */
  measured(pipeline: string): readonly MeasuredPoint[] {
    const { regionsPerImage, measured } = this.notes(pipeline);
    return measured.find(({ regions }) => regions === regionsPerImage)?.points ?? [];
  }

  setRegions(pipeline: string, regionsPerImage: number): void {
    if (this.regionsPerImage(pipeline) === regionsPerImage) return;
    this.file(pipeline).change((notes = NOTHING_KNOWN) => ({ ...notes, regionsPerImage }));
  }

  /** Of an image with as many regions as the latest. See `withMeasurement`. */
  addMeasurement(pipeline: string, measurement: MeasuredPoint): void {
    const regions = this.regionsPerImage(pipeline);
    this.file(pipeline).change((notes = NOTHING_KNOWN) => {
      const others = notes.measured.filter((kind) => kind.regions !== regions);
      const known = notes.measured.find((kind) => kind.regions === regions)?.points ?? [];
      const kind = { regions, points: [...withMeasurement(known, measurement)] };
      return { ...notes, measured: [...others, kind].slice(-KEPT_KINDS) };
    });
  }

  /** Resolves when everything is on disk (or failed). */
  async settled(): Promise<void> {
    await Promise.all([...this.files.values()].map((file) => file.settled()));
  }

  private notes(pipeline: string): Notes {
    return this.file(pipeline).read() ?? NOTHING_KNOWN;
  }

  private file(pipeline: string): StateFile<Notes> {
    const known = this.files.get(pipeline);
    if (known) return known;
    const path = join(this.folderOf(pipeline), NOTES_FILE);
    const file = new StateFile(path, notesSchema, this.log);
    this.files.set(pipeline, file);
    return file;
  }
}
