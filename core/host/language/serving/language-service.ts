import { createHash } from 'node:crypto';

import { SluiceError } from '../../../contract';
import { ChatTemplate, generate, openLanguageModel } from '../../../llm';
import type { GenerateOptions, Generation, LanguageModel, ReplyPiece, SamplingOptions } from '../../../llm';
import { OrtEnvironment } from '../../../ort';
import type {
  Completion,
  CompletionCall,
  CompletionPrompt,
  CompletionRequest,
  LanguageService,
  ServedLanguageModel,
} from '../../../serving';
import type { LanguageLibrary, LanguageModelEntry } from '../library/language-library';

/** What replies to a prompt; `generate` of core/llm, or another that is called alike. */
export type ReplyGenerator = (
  model: LanguageModel,
  prompt: readonly number[],
  options: GenerateOptions & { readonly sampling: SamplingOptions },
  loaded: Loaded,
) => Promise<Generation>;

const FINGERPRINT_DIGITS = 12;

export interface LibraryLanguagesParts {
  readonly library: Pick<LanguageLibrary, 'list' | 'entry'>;
  /** Models to serve; absent: every language model of the library. */
  readonly names?: readonly string[];
  readonly threads: number;
  /** What a text depends on beside its model: program, runtime, processor. */
  readonly platform: string;
  /** Seeds for requests without one, 0 to 2^32 - 1. */
  readonly newSeed: () => number;
  /** For the weights of each model, and where those that don't fit are laid out; absent: all are loaded. */
  readonly weights?: {
    readonly budgetBytes: number;
    readonly storeFolder: (modelPath: string) => string;
  };
  /** Default: over the full cache in memory. */
  readonly generator?: ReplyGenerator;
}

/** A model that is loaded, until `close`. */
export interface Loaded {
  readonly sha256: string;
  readonly model: LanguageModel;
  readonly environment: OrtEnvironment;
  /** That a token can stand for. */
  readonly longestTokenBytes: number;
}

/** The language models of the library, each loaded at its first request and kept until `close`. */
export class LibraryLanguages implements LanguageService {
  private environment: OrtEnvironment | undefined;
  private readonly loaded = new Map<string, Loaded>();

  constructor(private readonly parts: LibraryLanguagesParts) {}

  list(): readonly ServedLanguageModel[] {
    const { library, names } = this.parts;
    return library
      .list()
      .filter(({ name }) => names?.includes(name) ?? true)
      .map((entry) => this.served(entry));
  }

  async complete(request: CompletionRequest, { signal, onPiece }: CompletionCall): Promise<Completion> {
    const { generator = generate, newSeed } = this.parts;
    const loaded = await this.load(request.model, signal);
    const { model } = loaded;
    const { temperature, topP, minP, seed = newSeed(), maxTokens, stop } = request;
    const options = {
      sampling: { temperature, topP, minP, seed },
      stop,
      signal,
      onPiece: ({ text, tokens }: ReplyPiece) => onPiece({ text, tokens: tokens.map(({ token }) => token) }),
      ...(maxTokens !== undefined && { maxTokens }),
    };
    return completionOf(await generator(model, tokensOf(request.prompt, loaded), options, loaded));
  }

  /** Frees every model; no request may be at work. */
  close(): void {
    for (const { model } of this.loaded.values()) model.close();
    this.loaded.clear();
    this.environment?.close();
    this.environment = undefined;
  }

  private served({
    name,
    state,
    stateReason,
    sha256,
    contextLength,
    importedAt,
  }: LanguageModelEntry): ServedLanguageModel {
    const digest = createHash('sha256').update(`${sha256} ${this.parts.platform}`).digest('hex');
    return {
      name,
      createdMs: Date.parse(importedAt) || 0,
      contextLength,
      fingerprint: `fp_${digest.slice(0, FINGERPRINT_DIGITS)}`,
      isReady: state === 'ready',
      ...(stateReason !== undefined && { reason: stateReason }),
    };
  }

  /**
   * The model as it is in the library now: one that was replaced since is loaded anew. At its turn only.
   * @throws SluiceError `not-found`, `cancelled`, why it can't be loaded.
   */
  async load(name: string, signal: AbortSignal): Promise<Loaded> {
    const { path, sha256 } = this.parts.library.entry(name);
    const known = this.loaded.get(name);
    if (known?.sha256 === sha256) return known;
    this.loaded.delete(name);
    known?.model.close();
    const environment = (this.environment ??= OrtEnvironment.open({ threads: this.parts.threads }));
    const { weights } = this.parts;
    const model = await openLanguageModel(path, environment, {
      signal,
      ...(weights && {
        weights: { budgetBytes: weights.budgetBytes, storeFolder: weights.storeFolder(path) },
      }),
    });
    const loaded = { sha256, model, environment, longestTokenBytes: longestTokenBytes(model) };
    this.loaded.set(name, loaded);
    return loaded;
  }
}

function longestTokenBytes({ tokenizer }: LanguageModel): number {
  let longest = 1;
  for (let token = 0; token < tokenizer.size; token += 1) {
    longest = Math.max(longest, tokenizer.bytesOf(token).byteLength);
  }
  return longest;
}

/** @throws SluiceError `bad-input` (details.param), `unsupported` without a chat template. */
function tokensOf(prompt: CompletionPrompt, loaded: Loaded): readonly number[] {
  const { tokenizer, file } = loaded.model;
  if (prompt.kind === 'text') return encode(prompt.text, true, loaded);
  if (prompt.kind === 'conversation') {
    const text = new ChatTemplate(file, tokenizer.chatTemplate).render(prompt.messages, tokenizer);
    return encode(text, false, loaded);
  }
  const unknown = prompt.tokens.find((token) => token >= tokenizer.size);
  if (unknown === undefined) return prompt.tokens;
  throw new SluiceError(
    'bad-input',
    `prompt: expected tokens from 0 to ${tokenizer.size - 1}, found ${unknown}.`,
    { param: 'prompt' },
  );
}

/** A text that can't fit is refused before it is cut into tokens, which takes seconds a megabyte. */
function encode(text: string, addBos: boolean, loaded: Loaded): readonly number[] {
  const { tokenizer, decoder } = loaded.model;
  const { contextLength } = decoder.config;
  const promptBytes = Buffer.byteLength(text);
  const roomBytes = contextLength * loaded.longestTokenBytes;
  if (promptBytes <= roomBytes) return tokenizer.encode(text, { addBos });
  throw new SluiceError(
    'bad-input',
    `The prompt has ${promptBytes} bytes; the model's context of ${contextLength} tokens can't hold more than ` +
      `${roomBytes}, mostly much less. Shorten the prompt.`,
    { promptBytes, contextLength },
  );
}

function completionOf({ tokens, ...generation }: Generation): Completion {
  return { ...generation, completionTokens: tokens.length };
}
