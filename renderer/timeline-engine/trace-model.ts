import type { RemoteStage, RemoteTrace, SpanKind, TraceColumns } from '../../core/contract';
import type { SpanGroup } from './span-group';
import type { SpanRow } from './span-row';
import type { StepLod } from './step-lod';

/** What a span can be; each has one colour. */
export type KindName = SpanKind | RemoteStage;

/** One horizontal band of the picture. */
export interface TraceLane {
  /** Unique in its trace. */
  readonly key: string;
  readonly title: string;
  /** Below the title where there is room. */
  readonly note?: string;
  /** Kind whose colour the whole lane has; `mixed`: each span has its own kind's; `ring`: drawn as a step line. */
  readonly color: KindName | 'mixed' | 'ring';
  readonly rows: readonly SpanRow[];
  /** Share of the canvas's height. */
  readonly weight: number;
  /** CSS pixels it never gets more than: blocks much taller than wide read badly. */
  readonly maxPx?: number;
  /** Shown in place of spans when there are none. */
  readonly nothing: string;
}

/** What the timeline draws and asks, whatever was recorded. Built once; nothing in it changes. */
interface TraceBase {
  /** Names of the values in `columns.kind`. */
  readonly kindNames: readonly KindName[];
  /** Start of the first span, µs; never above 0. */
  readonly startUs: number;
  /** End, µs. */
  readonly durationUs: number;
  /** From top to bottom. */
  readonly lanes: readonly TraceLane[];
  /** Lane of each span, and its row there. */
  readonly laneOf: Uint8Array;
  readonly rowOf: Uint16Array;
  /** What each span belongs to: the layer, or the user. */
  readonly groupOf: Uint32Array | Uint16Array;
  /** Spans in which something waits, for stepping from one to the next. */
  readonly waits: SpanGroup;
  readonly labelOf: (span: number) => string;
}

/**
 * A streamed inference. Time 0 is where it starts: what was read ahead of it, while the engine was idle, lies before.
 */
export interface LayerTrace extends TraceBase {
  readonly source: 'layers';
  readonly columns: TraceColumns;
  readonly kinds: Readonly<Record<SpanKind, SpanGroup>>;
  readonly ring: StepLod;
  /** Reads in the order they finished, and when, for finding what ended a wait. */
  readonly readsByEnd: { readonly span: Uint32Array; readonly endUs: Float64Array };
}

/** The requests of one round of users. Time 0 is where the round begins. */
export interface RequestTrace extends TraceBase {
  readonly source: 'requests';
  readonly columns: RemoteTrace;
  readonly kinds: Readonly<Record<RemoteStage, SpanGroup>>;
}

export type TraceModel = LayerTrace | RequestTrace;

export function kindOf(model: TraceModel, span: number): KindName {
  return model.kindNames[model.columns.kind[span]!]!;
}
