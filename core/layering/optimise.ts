import { statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { dtypeCodeOf } from '../base';
import { SluiceError, type ExecutionProvider } from '../contract';
import {
  checkModel,
  constantsToInitializers,
  encodeModel,
  hoistSubgraphInitializers,
  readModel,
  removeUnusedNodes,
  subgraphs,
  tensorDataBytes,
  topologicalOrder,
  type OnnxGraph,
  type OnnxModel,
} from '../onnx';
import { OrtSession, type OrtEnvironment } from '../ort';
import { ioError } from '../storage';
import { giveConstantOutputsANode } from './constant-outputs';
import { linkSources } from './link-sources';
import { probeModel, type ValueRecord } from './layer-graph';

const OPTIMISED_FILE = 'optimised.onnx';
const OPTIMISED_WEIGHTS = 'optimised.weights';
const SOURCES = 'sources';
/** Weights of subgraphs above this move to the outer graph, where they can be streamed; scalars and shapes stay. */
const HOIST_MIN_BYTES = 64;
/** As in partitioning: larger tensors become inputs. */
const PROBE_MIN_BYTES = 512;

/** Reads the model that is to be compiled, and refuses what is structurally wrong, all faults at once. */
export async function readSource(path: string): Promise<OnnxModel> {
  const model = await readModel(path);
  const faults = checkModel(model);
  if (model.graph.outputs.length === 0) faults.push('the graph has no outputs; expected at least one');
  if (faults.length > 0) {
    throw new SluiceError(
      'bad-model',
      `${path} is not a valid ONNX graph: ${faults.slice(0, 8).join('; ')}${faults.length > 8 ? '; ...' : ''}.`,
      { path, faults },
    );
  }
  refuseSparseConstants(model.graph, path);
  // Before IR version 4 every initializer is also an input, which would keep ONNX Runtime from folding it.
  const initialized = new Set(model.graph.initializers.map((tensor) => tensor.name));
  model.graph.inputs = model.graph.inputs.filter((input) => !initialized.has(input.name));
  // Some exporters write weights as Constant nodes.
  constantsToInitializers(model.graph);
  // ONNX Runtime saves subgraph weights as references to the old files; in the outer graph it writes them anew.
  giveConstantOutputsANode(model.graph);
  hoistSubgraphInitializers(model.graph, HOIST_MIN_BYTES);
  return { ...model, irVersion: Math.max(4, model.irVersion) };
}

/** ONNX Runtime would save them as sparse initializers, which `readModel` refuses too. @throws SluiceError `unsupported`. */
function refuseSparseConstants(graph: OnnxGraph, path: string): void {
  for (const node of graph.nodes) {
    if (node.opType === 'Constant' && node.attributes.some(({ name }) => name === 'sparse_value')) {
      const name = node.outputs[0] ?? '';
      throw new SluiceError(
        'unsupported',
        `${path}: '${name}' is a sparse constant; export the model with dense weights`,
        { path, tensor: name },
      );
    }
    for (const inner of subgraphs(node)) refuseSparseConstants(inner, path);
  }
}

/**
 * Lets ONNX Runtime optimise a whole model for this CPU and saves the result in `folder`. The source's weights are
 * memory-mapped, so only what the optimiser rewrites (folded batch norms, reordered convolutions) takes memory.
 * @returns the optimised model; its weights refer to a file in `folder`.
 */
export async function optimiseModel(
  environment: OrtEnvironment,
  source: OnnxModel,
  sourcePath: string,
  folder: string,
  provider: ExecutionProvider,
): Promise<OnnxModel> {
  const base = join(folder, SOURCES);
  const externalNames = await linkSources(source, base);
  const path = join(folder, OPTIMISED_FILE);
  const encoded = encodeModel(source, { keepFileRefs: true, externalBase: base, externalNames });
  const session = explained(sourcePath, folder, () =>
    OrtSession.create(environment, encoded, {
      // Only the CPU provider has kernels for the CPU's own tensor layouts and fusions.
      optimization: provider === 'cpu' ? 'all' : 'basic',
      optimizedModelPath: path,
      config: {
        'session.model_external_initializers_file_folder_path': base,
        'session.optimized_model_external_initializers_file_name': OPTIMISED_WEIGHTS,
        'session.optimized_model_external_initializers_min_size_in_bytes': '1024',
        'session.disable_prepacking': '1',
      },
    }),
  );
  session.release();
  await rm(base, { recursive: true });
  const optimised = await readModel(path);
  dropDoubledInitializers(optimised.graph);
  giveConstantOutputsANode(optimised.graph);
  hoistSubgraphInitializers(optimised.graph, HOIST_MIN_BYTES);
  removeUnusedNodes(optimised.graph);
  optimised.graph.nodes = [...topologicalOrder(optimised.graph)];
  return optimised;
}

/** ONNX Runtime (1.30) saves each initializer of a subgraph that it made itself, from a Constant node, twice. In place. */
function dropDoubledInitializers(graph: OnnxGraph): void {
  for (const inner of graph.nodes.flatMap(subgraphs)) {
    inner.initializers = [...new Map(inner.initializers.map((tensor) => [tensor.name, tensor])).values()];
    dropDoubledInitializers(inner);
  }
}

/** Less free space than this after a failed write means that the disk is full. */
const FULL_DISK_BYTES = 16 << 20;

const NEWER_FORMAT = /Unsupported model IR version|Opset \d+ is under development/;
const MISSING_OPERATOR =
  /not a registered function|No Op registered|Could not find an implementation|Failed to find kernel/;
/** A kernel's constructor found attributes that it can't serve. */
const REFUSED_OPERATOR = /Exception during initialization/;

/** @throws SluiceError `unsupported`, `bad-model` or `io` where ONNX Runtime's words tell which it is. */
function explained<T>(sourcePath: string, folder: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const { message } = SluiceError.from(cause);
    const details = { path: sourcePath };
    if (NEWER_FORMAT.test(message)) {
      const what = `${sourcePath} was written for a newer ONNX than this ONNX Runtime knows. ${message}`;
      throw new SluiceError('unsupported', what, details, { cause });
    }
    if (MISSING_OPERATOR.test(message)) {
      const what = `${sourcePath} has an operator that this ONNX Runtime does not have. ${message}`;
      throw new SluiceError('unsupported', what, details, { cause });
    }
    if (REFUSED_OPERATOR.test(message)) {
      const what = `${sourcePath} uses an operator in a way that this ONNX Runtime does not support. ${message}`;
      throw new SluiceError('unsupported', what, details, { cause });
    }
    if (/[Ff]ailed to write|Failed to save|No space/.test(message)) {
      const { bavail, bsize } = statfsSync(folder);
      const code = bavail * bsize < FULL_DISK_BYTES ? 'ENOSPC' : 'EIO';
      throw ioError(
        `Can't write the optimised model to ${folder}`,
        Object.assign(new Error(message), { code }),
      );
    }
    if (/invalid model|INVALID_GRAPH|Type Error|ShapeInferenceError/i.test(message)) {
      const what = `${sourcePath} is not a valid model. ${message}`;
      throw new SluiceError('bad-model', what, details, { cause });
    }
    throw cause;
  }
}

/** Types and shapes of all values of a graph, as ONNX Runtime infers them, without loading any weight. */
export function inferValues(environment: OrtEnvironment, model: OnnxModel): Map<string, ValueRecord> {
  const probe = probeModel(model.graph, (tensor) => tensorDataBytes(tensor) > PROBE_MIN_BYTES, model);
  const session = OrtSession.create(environment, encodeModel(probe), { optimization: 'none' });
  try {
    const values = new Map<string, ValueRecord>();
    for (const { name, dtype, shape } of [...session.inputs, ...session.outputs]) {
      const code = dtypeCodeOf(dtype);
      if (code !== undefined) values.set(name, { dtype: code, shape });
    }
    return values;
  } finally {
    session.release();
  }
}
