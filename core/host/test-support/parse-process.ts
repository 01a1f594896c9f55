/** Reads files that may be damaged, in a process with little memory: each message is one, each answer what became of it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { z } from 'zod';

import { SluiceError } from '../../contract';
import { Engine, minimumBudget, nominalInputs, planDetail, readManifest } from '../../layering';
import { readLanguageModelFacts, readVocabulary } from '../../llm';
import { checkModel, readModel, topologicalOrder, valueTypes } from '../../onnx';
import { SessionStore } from '../../vericache';
import { decodeImage, parseNpy } from '../../vision';
import { endpointsSchema } from '../endpoints/endpoints';
import { fleetSchema } from '../fleet/known-box';
import { pushesSchema } from '../fleet/push-records';
import { systemClock } from '../host-clock';
import { ConversationFolder } from '../language/conversations/conversation-folder';
import { deploymentSchema } from '../offload/deployment-store';
import { PublishedFile } from '../publishing/published-file';
import { StateFile } from '../state-file';
import { openLibrary, openRuns, readCompetition, readFigures, recallAgent } from './parse-stores';

export type Format =
  | 'onnx'
  | 'language'
  | 'image'
  | 'npy'
  | 'layer-store'
  | 'sessions'
  | 'conversation'
  | 'published'
  | 'runs'
  | 'library'
  | 'figures'
  | 'agent'
  | 'sealed agent'
  | 'competition'
  | `state ${keyof typeof STATES}`;

export interface ParseRequest {
  readonly format: Format;
  /** Relative to the folder of the process; the sound rest of a model's folder is there already. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface ParseAnswer {
  /** Undefined: it was read. */
  readonly error?: { readonly code: string; readonly message: string; readonly stack: string };
  /** The most memory that the process ever had. */
  readonly peakBytes: number;
}

/** Small files that a process keeps, by name. */
const STATES: Readonly<Record<'endpoints' | 'fleet' | 'pushes' | 'offload', z.ZodType>> = {
  endpoints: endpointsSchema,
  fleet: fleetSchema,
  pushes: pushesSchema,
  offload: deploymentSchema,
};

const folder = process.argv[2] ?? '';
const MEMORY_LIMIT_BYTES = 64 * 2 ** 20;
let engine: Engine | undefined;

async function parse({ format, bytes }: ParseRequest, path: string): Promise<void> {
  switch (format) {
    case 'onnx': {
      const model = await readModel(path, { memoryLimitBytes: MEMORY_LIMIT_BYTES });
      checkModel(model);
      topologicalOrder(model.graph);
      valueTypes(model.graph);
      return;
    }
    case 'language': {
      const model = path.endsWith('.gguf') ? path : dirname(path);
      await readLanguageModelFacts(model);
      await readVocabulary(model);
      return;
    }
    case 'image':
      await decodeImage(bytes, { name: 'an image' });
      return;
    case 'npy':
      parseNpy(bytes, 'a tensor');
      return;
    case 'layer-store':
      return runStore(join(folder, 'store'));
    case 'sessions': {
      const { unusable } = await new SessionStore(dirname(dirname(path)), systemClock).list();
      const [one] = unusable;
      if (one) throw new SluiceError('corrupt-store', one.problem);
      return;
    }
    case 'conversation': {
      const conversation = dirname(path);
      await new ConversationFolder(conversation, basename(conversation), () => undefined).read();
      return;
    }
    case 'published':
      readAll(new PublishedFile(path, () => 0).current);
      return;
    case 'runs':
      return openRuns(path);
    case 'library':
      return openLibrary(path);
    case 'figures':
      return readFigures(path);
    case 'agent':
    case 'sealed agent':
      return recallAgent(path, format === 'sealed agent');
    case 'competition':
      readCompetition(bytes);
      return;
    default:
      readState(path, STATES[format.slice('state '.length) as keyof typeof STATES]);
  }
}

/** Loads a store of layers in the least memory and in all of it, and runs it. */
async function runStore(storePath: string): Promise<void> {
  const manifest = readManifest(storePath);
  engine ??= await Engine.start({ threads: 1 });
  for (const mode of ['async', 'sync', 'resident'] as const) {
    const budgetBytes = minimumBudget(manifest, mode);
    readAll(planDetail(storePath, mode, budgetBytes));
    const model = await engine.load({ storePath, mode, budgetBytes });
    try {
      await model.run(nominalInputs(manifest.inputs, 1));
    } finally {
      await model.close();
    }
  }
}

/** What can't be used is told about and counts as none; then nothing was written. */
function readState<T>(path: string, schema: z.ZodType<T>): void {
  const told: string[] = [];
  const before = readFileSync(path);
  const value = new StateFile(path, schema, (line) => told.push(line)).read();
  if (!readFileSync(path).equals(before)) throw new Error('The file was written.');
  if (value === undefined) throw new SluiceError('corrupt-store', told.join());
  readAll(value);
}

/** Whatever was read can be sent on. */
function readAll(value: unknown): void {
  structuredClone(value);
}

async function answer(request: ParseRequest): Promise<ParseAnswer> {
  const path = join(folder, request.file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, request.bytes);
  const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;
  try {
    await parse(request, path);
    return { peakBytes: peakBytes() };
  } catch (thrown) {
    const { code, message } = SluiceError.from(thrown);
    const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
    return { error: { code, message, stack }, peakBytes: peakBytes() };
  }
}

process.on('message', (request: ParseRequest) => void answer(request).then((said) => process.send?.(said)));
