import { randomInt } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { SluiceError } from '../../contract';
import { ChatTemplate, generate, openLanguageModel } from '../../llm';
import type { Generation, LanguageModel } from '../../llm';
import { OrtEnvironment } from '../../ort';
import { ioError } from '../../storage';
import type { CommandContext, Outcome } from '../commands/context';
import { EXIT } from '../commands/exit-codes';
import type { GenerateCommandOptions } from '../commands/generate';
import { threadsOf } from '../environment';
import { hasLanguageModel } from './language-folder';
import { LanguageLibrary } from './language-library';

const SEEDS = 2 ** 32;

/** Generates in this process; text goes to stdout as it comes, unless the outcome is asked for as JSON. */
export async function generateReply(
  context: CommandContext,
  name: string,
  options: GenerateCommandOptions,
): Promise<Outcome> {
  if (options.raw === true && options.system !== undefined) {
    throw new SluiceError('bad-input', '--system is for the chat template; leave it or --raw out.');
  }
  const prompt = await promptOf(options.prompt);
  const file = fileOf(context, name);
  const seed = options.seed ?? randomInt(SEEDS);
  const threads = options.threads ?? threadsOf(process.env);
  const environment = OrtEnvironment.open({ threads });
  try {
    context.log(`loading ${name}`);
    const model = await openLanguageModel(file, environment, { signal: context.signal });
    try {
      const generation = await reply(context, model, { ...options, prompt, seed });
      return outcomeOf(context, generation, { model: name, seed, threads });
    } finally {
      model.close();
    }
  } finally {
    environment.close();
  }
}

function reply(
  { json, log, signal }: CommandContext,
  model: LanguageModel,
  options: GenerateCommandOptions & { readonly seed: number },
): Promise<Generation> {
  const { maxTokens, temperature, topP, minP, seed, stop } = options;
  const tokens = promptTokens(model, options);
  log(`generating after ${tokens.length} tokens; Ctrl-C stops it`);
  return generate(model, tokens, {
    sampling: { temperature, topP, minP, seed },
    signal,
    ...(maxTokens !== undefined && { maxTokens }),
    ...(stop && { stop }),
    onPiece: ({ text }) => {
      if (!json) process.stdout.write(text);
    },
  });
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
  generation: Generation,
  used: { readonly model: string; readonly seed: number; readonly threads: number },
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
    json: { ...used, kv: 'full', ...generation, ...(isCancelled && { error: cancelled.toWire() }) },
    text: '', // it was printed as it came
    exitCode: isCancelled ? EXIT.cancelled : EXIT.done,
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
