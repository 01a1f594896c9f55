import { SluiceError, type ModelSummary } from '../contract';
import { checkManifestFits, readManifest, type StoreManifest } from './manifest';
import { minimumBudget } from './plan';

/** The machine a library is opened on: stores must have been compiled for it. */
export interface LibraryHere {
  readonly runtimeVersion: string;
  readonly instructionSet: string;
}

/** What a summary tells whatever the model is made of. */
type SummaryBase = Pick<ModelSummary, 'name' | 'task' | 'importedAt' | 'sourceFile'>;

const EMPTY_FIGURES = {
  provider: 'cpu',
  weightBytes: 0,
  layers: 0,
  largestLayerBytes: 0,
  minimumBytes: 0,
  inputs: [],
  outputs: [],
} as const;

/** Of a model with a store of its own; one that can't be used here says why. */
export function storeSummary(base: SummaryBase, storePath: string, here: LibraryHere): ModelSummary {
  try {
    const manifest = readManifest(storePath);
    checkManifestFits(manifest, here);
    return { ...base, ...storeFigures(manifest), state: 'ready' };
  } catch (error) {
    const { code, message } = SluiceError.from(error);
    return {
      ...base,
      ...EMPTY_FIGURES,
      state: code === 'stale-store' ? 'stale' : 'broken',
      stateReason: message,
    };
  }
}

/** Of a model whose entry can't be read. */
export function brokenSummary(name: string, error: unknown): ModelSummary {
  return {
    name,
    task: { kind: 'tensor' },
    importedAt: '',
    sourceFile: '',
    ...EMPTY_FIGURES,
    state: 'broken',
    stateReason: SluiceError.from(error).message,
  };
}

/** Of a model made of others, in the order they run. */
export function pipelineSummary(base: SummaryBase, parts: readonly ModelSummary[]): ModelSummary {
  const broken = parts.find((part) => part.state !== 'ready');
  const sum = (figure: (part: ModelSummary) => number): number =>
    parts.reduce((total, part) => total + figure(part), 0);
  return {
    ...base,
    state: broken?.state ?? 'ready',
    ...(broken ? { stateReason: `${broken.name}: ${broken.stateReason ?? ''}` } : {}),
    provider: parts[0]?.provider ?? 'cpu',
    weightBytes: sum((part) => part.weightBytes),
    layers: sum((part) => part.layers),
    largestLayerBytes: Math.max(...parts.map((part) => part.largestLayerBytes)),
    minimumBytes: sum((part) => part.minimumBytes),
    inputs: parts[0]?.inputs ?? [],
    outputs: parts[1]?.outputs ?? [],
  };
}

function storeFigures(
  manifest: StoreManifest,
): Omit<typeof EMPTY_FIGURES, keyof typeof EMPTY_FIGURES> & Pick<ModelSummary, keyof typeof EMPTY_FIGURES> {
  return {
    provider: manifest.provider,
    weightBytes: manifest.weightBytes,
    layers: manifest.layers.length,
    largestLayerBytes: Math.max(...manifest.layers.map((layer) => layer.byteLength)),
    minimumBytes: minimumBudget(manifest, 'async'),
    inputs: manifest.inputs,
    outputs: manifest.outputs,
  };
}
