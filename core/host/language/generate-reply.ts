import { randomInt } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { DEFAULT_LANGUAGE_SETTINGS, printable, SluiceError } from '../../contract';
import type { CacheMemory, CacheMode, LanguageSettings, RoundRecord } from '../../contract';
import { ChatTemplate, generate, generateFrom, openLanguageModel } from '../../llm';
import type { GenerateOptions, Generation, LanguageModel, WeightMemory, WeightTraffic } from '../../llm';
import { OrtEnvironment } from '../../ort';
import { ioError } from '../../storage';
import { SessionStore } from '../../vericache';
import type { CommandContext, Outcome } from '../commands/context';
import { EXIT } from '../commands/exit-codes';
import type { GenerateCommandOptions } from './generate-options';
import { threadsOf } from '../environment';
import { systemClock } from '../host-clock';
import { hasLanguageModel } from './library/language-folder';
import { LanguageLibrary } from './library/language-library';
import { weightStoreFolder } from './library/weight-store-folder';
import { remoteNodeOf, weightsOf } from './remote-node';
import { openDraftModel, type OpenDraftModel } from './open-draft-model';
import { openVericache } from './vericache-cache';

const SEEDS = 2 ** 32;

interface ReplyOptions extends GenerateCommandOptions {
  readonly seed: number;
  readonly environment: OrtEnvironment;
  /** As the model was asked for. */
  readonly name: string;
  readonly draft?: OpenDraftModel;
}

interface Reply {
  readonly generation: Generation;
  /** Of drafts and their verification. */
  readonly rounds?: readonly RoundRecord[];
  readonly memory?: CacheMemory;
  /** Of the prompt, that another node had computed. */
  readonly remoteTokens?: number;
}

/** Generates in this process; text goes to stdout as it comes, unless the outcome is asked for as JSON. */
export async function generateReply(
  context: CommandContext,
  name: string,
  options: GenerateCommandOptions,
): Promise<Outcome> {
  if (options.raw === true && options.system !== undefined) {
    throw new SluiceError('bad-input', '--system is for the chat template; leave it or --raw out.');
  }
  if (options.remote !== undefined && options.kv === 'full') {
    throw new SluiceError('bad-input', '--remote is for --kv vericache or lossy.');
  }
  if (options.draftModel !== undefined && options.kv !== 'vericache') {
    throw new SluiceError('bad-input', '--draft-model is for --kv vericache: nothing else drafts.');
  }
  const prompt = await promptOf(options.prompt);
  const file = fileOf(context, name);
  const draftFile = options.draftModel === undefined ? undefined : fileOf(context, options.draftModel);
  const seed = options.seed ?? randomInt(SEEDS);
  const threads = options.threads ?? threadsOf(process.env);
  const environment = OrtEnvironment.open({ threads });
  try {
    context.log(`loading ${name}`);
    const model = await openLanguageModel(file, environment, {
      signal: context.signal,
      ...(options.weightsBudget !== undefined && {
        weights: {
          budgetBytes: options.weightsBudget,
          storeFolder: weightStoreFolder(context.dataDir, file),
        },
      }),
    });
    try {
      const { kv } = options;
      const request = { ...options, name, prompt, seed, environment };
      const done = await (draftFile === undefined
        ? reply(context, model, request)
        : replyWithDraft(context, model, draftFile, request));
      const { decoder } = model;
      const weights = options.weightsBudget !== undefined && {
        weights: { ...decoder.weightMemory(), ...decoder.weightTraffic() },
      };
      return outcomeOf(context, done, { model: name, seed, threads, kv, ...weights });
    } finally {
      model.close();
    }
  } finally {
    environment.close();
  }
}

async function replyWithDraft(
  context: CommandContext,
  model: LanguageModel,
  draftFile: string,
  options: ReplyOptions,
): Promise<Reply> {
  context.log(`loading the draft model ${options.draftModel ?? draftFile}`);
  const draft = await openDraftModel(draftFile, model, options.environment, context.signal);
  try {
    return await reply(context, model, { ...options, draft });
  } finally {
    draft.close();
  }
}

async function reply(
  context: CommandContext,
  model: LanguageModel,
  { environment, ...options }: ReplyOptions,
): Promise<Reply> {
  const { temperature, topP, minP, seed } = options;
  const tokens = promptTokens(model, options);
  context.log(`generating after ${tokens.length} tokens; Ctrl-C stops it`);
  const request = requestOf(context, options);
  if (options.kv === 'full') {
    return {
      generation: await generate(model, tokens, { ...request, sampling: { temperature, topP, minP, seed } }),
    };
  }
  const { contextLength } = model.decoder.config;
  const settings = settingsOf(options);
  const maxTokens = Math.min(contextLength, tokens.length + settings.maxTokens);
  const store = new SessionStore(join(context.dataDir, 'sessions'), systemClock);
  await store.sweep();
  const session = await store.create({ title: 'sluice generate', model: model.file, isTemporary: true });
  const rounds: RoundRecord[] = [];
  try {
    const node = await remoteNodeOf(options, context.signal);
    const { source, remoteTokens, close } = await openVericache({
      model,
      weights: node ? await weightsOf(context, options.name, model.file) : model.file,
      environment,
      settings,
      folder: session.folder,
      maxTokens,
      onRound: (round) => void rounds.push(round),
      ...(options.draft && { draftModel: options.draft.proposer }),
      ...(node && { remote: { ...node, tokens, log: context.log } }),
    });
    try {
      const generation = await generateFrom(source, model, tokens, request);
      return { generation, rounds, memory: source.memory(), ...(node && { remoteTokens }) };
    } finally {
      await close();
    }
  } finally {
    await session.close();
  }
}

function requestOf(
  { json, signal }: CommandContext,
  { maxTokens, stop }: GenerateCommandOptions,
): GenerateOptions {
  return {
    signal,
    ...(maxTokens !== undefined && { maxTokens }),
    ...(stop && { stop }),
    onPiece: ({ text }) => {
      // A file or a program gets the text as it is.
      if (!json) process.stdout.write(process.stdout.isTTY ? printable(text) : text);
    },
  };
}

function settingsOf(options: GenerateCommandOptions & { readonly seed: number }): LanguageSettings {
  const {
    kv,
    compressor,
    ratio,
    budget,
    draftLength,
    lookup,
    draftModel = '',
    maxTokens,
    temperature,
    topP,
    minP,
    seed,
  } = options;
  return {
    mode: kv,
    compressor,
    ratio,
    budgetBytes: budget,
    draftLength,
    promptLookup: lookup,
    draftModel,
    maxTokens: maxTokens ?? DEFAULT_LANGUAGE_SETTINGS.maxTokens,
    temperature,
    topP,
    minP,
    seed,
  };
}

function promptTokens(
  { tokenizer, file }: LanguageModel,
  { prompt, system, raw = false }: GenerateCommandOptions,
): readonly number[] {
  if (raw) return tokenizer.encode(prompt, { addBos: true });
  if (tokenizer.chatTemplate === undefined) {
    throw new SluiceError(
      'unsupported',
      `${file} has no chat template. Use --raw to continue the prompt as it is, or a model made for chat (Instruct).`,
      { file },
    );
  }
  const text = new ChatTemplate(file, tokenizer.chatTemplate).render(
    [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      { role: 'user', content: prompt },
    ],
    tokenizer,
  );
  return tokenizer.encode(text, { addBos: false });
}

function outcomeOf(
  { json, log }: CommandContext,
  { generation, rounds, memory, remoteTokens }: Reply,
  used: {
    readonly model: string;
    readonly seed: number;
    readonly threads: number;
    readonly kv: CacheMode;
    readonly weights?: WeightMemory & WeightTraffic;
  },
): Outcome {
  const { finishReason, promptTokens: inPrompt, tokens, tokensPerSec, prefillTokensPerSec } = generation;
  const isCancelled = finishReason === 'cancelled';
  const cancelled = new SluiceError('cancelled', `Generating with ${used.model} was cancelled.`);
  if (!json) {
    const rates = `prompt ${prefillTokensPerSec.toFixed(1)} tokens/s, reply ${tokensPerSec.toFixed(1)} tokens/s`;
    log(
      `${isCancelled ? '\nsluice: cancelled' : `\n${ENDED[finishReason]}`}: ${inPrompt} + ${tokens.length} tokens; ${rates}`,
    );
  }
  return {
    json: {
      ...used,
      ...generation,
      ...(rounds && acceptanceOf(rounds)),
      ...(memory && { memory }),
      ...(remoteTokens !== undefined && { remoteTokens }),
      ...(isCancelled && { error: cancelled.toWire() }),
    },
    text: '', // it was printed as it came
    exitCode: isCancelled ? EXIT.cancelled : EXIT.done,
  };
}

function acceptanceOf(rounds: readonly RoundRecord[]): {
  readonly rounds: number;
  readonly drafted: number;
  readonly proposed: number;
  readonly accepted: number;
} {
  const sum = (of: (round: RoundRecord) => number): number =>
    rounds.reduce((total, round) => total + of(round), 0);
  return {
    rounds: rounds.length,
    drafted: sum(({ drafted }) => drafted),
    proposed: sum(({ proposed }) => proposed),
    accepted: sum(({ accepted }) => accepted),
  };
}

const ENDED = { end: 'the model ended', stop: 'at a stop string', length: 'at the most tokens' } as const;

async function promptOf(text: string): Promise<string> {
  if (!text.startsWith('@')) return text;
  const path = resolve(text.slice(1));
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
      throw ioError(`Can't read the prompt ${path}`, cause);
    throw new SluiceError('not-found', `There is no file ${path} with a prompt.`, { path }, { cause });
  }
}

/** A model of the library, or a file or folder. @throws SluiceError `not-found`, `corrupt-store`. */
function fileOf({ dataDir }: CommandContext, name: string): string {
  const path = resolve(name);
  const isPath = /\.gguf$|[/\\]/i.test(name);
  if (existsSync(path) && (isPath || (isFolder(path) && !hasLanguageModel(dataDir, name)))) return path;
  if (/[/\\]/.test(name)) {
    throw new SluiceError(
      'not-found',
      `There is no file ${path}. Give the path of a .gguf file or of a model's folder.`,
    );
  }
  const entry = new LanguageLibrary(dataDir).entry(name);
  if (entry.state === 'ready') return entry.path;
  throw new SluiceError('corrupt-store', `${name} can't be used: ${entry.stateReason ?? ''}`, { name });
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory();
}
