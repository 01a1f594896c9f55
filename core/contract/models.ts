/** Where a model's layers run. `cpu` and `webgpu` are tested; other names go to ONNX Runtime as they are. */
export type ExecutionProvider = 'cpu' | 'webgpu' | (string & {});

/** A tensor the model takes or gives. `-1` marks a dimension that is free until run time. */
export interface TensorSpec {
  readonly name: string;
  /** ONNX element type in lower case: `float32`, `float16`, `int64`, `uint8`, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What the model is for; decides pre-processing, post-processing and how a result is drawn. */
export type ModelTask =
  | { readonly kind: 'tensor' }
  | { readonly kind: 'classification'; readonly labels: number }
  /** Two models of the library used together: text detection, then recognition. */
  | { readonly kind: 'text'; readonly detector: string; readonly recognizer: string };

export interface ModelSummary {
  /** Unique in the library; the key of every other request. */
  readonly name: string;
  readonly task: ModelTask;
  /** `ready`, or why it can't run: its store is `stale` (recompile) or `broken` (verify says where). */
  readonly state: 'ready' | 'stale' | 'broken';
  readonly stateReason?: string;
  readonly provider: ExecutionProvider;
  /** Sum of all parameter bytes, W. 0 for a model without weights. */
  readonly weightBytes: number;
  readonly layers: number;
  readonly largestLayerBytes: number;
  /** Least parameter memory it can stream in (async mode). */
  readonly minimumBytes: number;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly importedAt: string;
  readonly sourceFile: string;
}

export interface LayerInfo {
  readonly index: number;
  readonly name: string;
  /** Operator of its heaviest node, e.g. `Conv`, `Gemm`. */
  readonly op: string;
  readonly nodes: number;
  readonly weightBytes: number;
  /** Into how many tiles at most it can be split (1: indivisible). */
  readonly maxTiles: number;
  /** Offset of its weights in the weights file, bytes. */
  readonly fileOffset: number;
  /** Median compute time with resident weights, from the profile. Absent before the first profile. */
  readonly computeMs?: number;
  readonly sha256: string;
}

export interface ModelDetail extends ModelSummary {
  readonly layerList: readonly LayerInfo[];
  readonly storePath: string;
  readonly storeBytes: number;
  readonly storeVersion: number;
  readonly runtimeVersion: string;
  readonly instructionSet: string;
  readonly sourceSha256: string;
  /** Files with weights that lay beside the model's, by their place relative to it. */
  readonly sourceBeside?: readonly { readonly file: string; readonly sha256: string }[];
  /** Things a user should know, e.g. which weights had to stay constants and why. */
  readonly notes: readonly string[];
}

/** A model that was removed and can still be put back. */
export interface RemovedModel {
  readonly name: string;
  /** Disk space it still takes. */
  readonly bytes: number;
  /** When it will be gone for good, ISO time; the next removal and the engine's end come before. */
  readonly undoUntil: string;
}

export interface VerifyReport {
  readonly name: string;
  readonly ok: boolean;
  readonly layersChecked: number;
  readonly bytesChecked: number;
  readonly faults: readonly { readonly layer: string; readonly problem: string }[];
}
