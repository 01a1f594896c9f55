import { createHash } from 'node:crypto';

import { SluiceError } from '../../contract';
import { ChatTemplate, generate, openLanguageModel } from '../../llm';
import type { Generation, LanguageModel } from '../../llm';
import { OrtEnvironment } from '../../ort';
import type {
  Completion,
  CompletionCall,
  CompletionPrompt,
  CompletionRequest,
  LanguageService,
  ServedLanguageModel,
} from '../../serving';
import type { LanguageLibrary, LanguageModelEntry } from './language-library';

/** What replies to a prompt; `generate` of core/llm, or another that is called alike. */
export type Generator = typeof generate;

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
  /** Default: over the full cache in memory. */
  readonly generator?: Generator;
}

interface Loaded {
  readonly sha256: string;
  readonly model: LanguageModel;
}

/** The language models of the library, each loaded whole at its first request and kept until `close`. */
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
    const model = await this.load(request.model, signal);
    const { temperature, topP, minP, seed = newSeed(), maxTokens, stop } = request;
    const generation = await generator(model, tokensOf(request.prompt, model), {
      sampling: { temperature, topP, minP, seed },
      stop,
      signal,
      onPiece,
      ...(maxTokens !== undefined && { maxTokens }),
    });
    return completionOf(generation);
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

  /** The model as it is in the library now: one that was replaced since is loaded anew. */
  private async load(name: string, signal: AbortSignal): Promise<LanguageModel> {
    const { path, sha256 } = this.parts.library.entry(name);
    const known = this.loaded.get(name);
    if (known?.sha256 === sha256) return known.model;
    this.loaded.delete(name);
    known?.model.close();
    this.environment ??= OrtEnvironment.open({ threads: this.parts.threads });
    const model = await openLanguageModel(path, this.environment, { signal });
    this.loaded.set(name, { sha256, model });
    return model;
  }
}

/** @throws SluiceError `bad-input` (details.param), `unsupported` without a chat template. */
function tokensOf(prompt: CompletionPrompt, { tokenizer, file }: LanguageModel): readonly number[] {
  if (prompt.kind === 'text') return tokenizer.encode(prompt.text, { addBos: true });
  if (prompt.kind === 'conversation') {
    const text = new ChatTemplate(file, tokenizer.chatTemplate).render(prompt.messages, tokenizer);
    return tokenizer.encode(text, { addBos: false });
  }
  const unknown = prompt.tokens.find((token) => token >= tokenizer.size);
  if (unknown === undefined) return prompt.tokens;
  throw new SluiceError(
    'bad-input',
    `prompt: expected tokens from 0 to ${tokenizer.size - 1}, found ${unknown}.`,
    { param: 'prompt' },
  );
}

function completionOf({ tokens, ...generation }: Generation): Completion {
  return { ...generation, completionTokens: tokens.length };
}
