import type {
  LayerInfo,
  MeasuredPoint,
  MemoryDelayCurve,
  ModelDetail,
  ModelSummary,
  PipelineMode,
  PlanDetail,
} from '../../core/contract';

/** Test data only: models and figures of made-up but consistent shape. Nothing here reaches the product. */
const MIB = 2 ** 20;

export function fakeModel(part: Partial<ModelSummary> & { readonly name: string }): ModelSummary {
  return {
    task: { kind: 'classification', labels: 1000 },
    state: 'ready',
    provider: 'cpu',
    weightBytes: 97.5 * MIB,
    layers: 54,
    largestLayerBytes: 9 * MIB,
    minimumBytes: 10 * MIB,
    inputs: [{ name: 'data', dtype: 'float32', shape: [-1, 3, 224, 224] }],
    outputs: [{ name: 'resnetv17_dense0_fwd', dtype: 'float32', shape: [-1, 1000] }],
    importedAt: '2026-05-01T10:00:00.000Z',
    sourceFile: `/home/user/models/${part.name}.onnx`,
    ...part,
  };
}

export function fakeLayers(model: ModelSummary): readonly LayerInfo[] {
  const raw = Array.from(
    { length: model.layers },
    (_, index) => (1 + ((index * 37) % 11)) * (1 + index / 12),
  );
  const sum = raw.reduce((total, value) => total + value, 0);
  let fileOffset = 0;
  return raw.map((share, index) => {
    const weightBytes = Math.round((share / sum) * model.weightBytes);
    const layer: LayerInfo = {
      index,
      name:
        index === model.layers - 1
          ? 'classifier.fc'
          : `stage${1 + Math.floor(index / 14)}.block${index % 14}.conv`,
      op: index === model.layers - 1 ? 'Gemm' : 'Conv',
      nodes: 3,
      weightBytes,
      maxTiles: index === model.layers - 1 ? 8 : 1,
      fileOffset,
      computeMs: 0.4 + ((index * 13) % 7) / 5,
      sha256: 'f'.repeat(64),
    };
    fileOffset += Math.ceil(weightBytes / 4096) * 4096;
    return layer;
  });
}

export function fakeDetail(model: ModelSummary): ModelDetail {
  return {
    ...model,
    layerList: fakeLayers(model),
    storePath: `/home/user/.local/share/sluice/stores/${model.name}`,
    storeBytes: model.weightBytes + MIB,
    storeVersion: 1,
    runtimeVersion: '1.30.0',
    instructionSet: 'avx512',
    sourceSha256: 'a'.repeat(64),
    notes: ['Two weights of 12 bytes stay constants: Reshape needs its shape when the session is made.'],
  };
}

const RESIDENT_MS = 46;
const READ_BYTES_PER_SEC = 930e6;

function predictedMs(model: ModelSummary, budgetBytes: number): number {
  const streamed = Math.max(0, model.weightBytes - budgetBytes);
  return Math.max(RESIDENT_MS * 1.04, (streamed / READ_BYTES_PER_SEC) * 1000 + 3);
}

export function fakeCurve(
  model: ModelSummary,
  mode: PipelineMode,
  measured: readonly MeasuredPoint[],
): MemoryDelayCurve {
  const count = 40;
  const points = Array.from({ length: count }, (_, index) => {
    const budgetBytes =
      model.minimumBytes * (model.weightBytes / model.minimumBytes) ** (index / (count - 1));
    const residentBytes = Math.max(0, budgetBytes - model.minimumBytes);
    return {
      budgetBytes,
      predictedMs: predictedMs(model, budgetBytes),
      ringBytes: Math.min(budgetBytes, model.minimumBytes),
      residentBytes,
      residentLayers: Math.round((residentBytes / model.weightBytes) * model.layers),
    };
  });
  return {
    model: model.name,
    mode,
    minimumBytes: model.minimumBytes,
    totalBytes: model.weightBytes,
    residentMs: RESIDENT_MS,
    readLimitMs: (model.weightBytes / READ_BYTES_PER_SEC) * 1000,
    readBytesPerSec: READ_BYTES_PER_SEC,
    points,
    measured,
  };
}

export function fakePlan(model: ModelSummary, mode: PipelineMode, budgetBytes: number): PlanDetail {
  const spare = Math.max(0, budgetBytes - model.minimumBytes);
  let held = 0;
  const placement = fakeLayers(model).map(({ weightBytes, index }) => {
    if (index % 3 !== 0 && held + weightBytes <= spare) {
      held += weightBytes;
      return 'resident' as const;
    }
    return weightBytes === 0 ? ('none' as const) : ('streamed' as const);
  });
  const ringBytes = Math.min(budgetBytes - held, model.minimumBytes);
  return {
    model: model.name,
    mode,
    budgetBytes,
    parameterMemoryBytes: held + ringBytes,
    ringBytes,
    residentBytes: held,
    constantBytes: 24,
    streamedBytesPerRun: model.weightBytes - held,
    segments: model.layers,
    predictedMs: predictedMs(model, budgetBytes),
    placement,
  };
}
