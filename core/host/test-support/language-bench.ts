import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../../base';
import { DEFAULT_LANGUAGE_SETTINGS } from '../../contract';
import type {
  EventName,
  Events,
  LanguageProgress,
  LanguageSettings,
  Message,
  RequestInput,
} from '../../contract';
import { ChatTemplate, generate, openLanguageModel } from '../../llm';
import type { Generation } from '../../llm';
import { OrtEnvironment } from '../../ort';
import { EventBus } from '../event-bus';
import { Jobs } from '../jobs';
import { startLanguage } from '../language/start-language';
import type { Language, LanguageParts } from '../language/start-language';
import { LoadedModels } from '../models/loaded-models';
import { FakeLoader } from './fake-models';

/** The tiny model's greedy text goes round in circles; this differs from token to token. */
export const TINY_SETTINGS: LanguageSettings = {
  ...DEFAULT_LANGUAGE_SETTINGS,
  mode: 'full',
  maxTokens: 40,
  temperature: 1,
  seed: 5,
};

type Told = { [E in EventName]: { readonly event: E; readonly payload: Events[E] } }[EventName];

/** The language part of an engine, on a data folder of its own. */
export class LanguageBench {
  readonly told: Told[] = [];
  readonly log: string[] = [];
  readonly jobs: Jobs;
  readonly budget: LoadedModels;
  language: Language;
  private nextJob = 1;

  private constructor(
    readonly folder: string,
    private readonly options: Partial<LanguageParts>,
    private readonly bus = new EventBus(),
  ) {
    this.jobs = new Jobs(bus, systemClock);
    this.budget = new LoadedModels(new FakeLoader(), (state) => bus.emit('budget', state));
    bus.subscribe((message) => this.told.push(message));
    this.language = this.start();
  }

  /** @param model a GGUF file's bytes; imported as `tiny`. */
  static async open(model: Uint8Array, options: Partial<LanguageParts> = {}): Promise<LanguageBench> {
    const bench = new LanguageBench(mkdtempSync(join(tmpdir(), 'sluice-language-')), options);
    await bench.import('tiny', model);
    return bench;
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  get modelFile(): string {
    return join(this.folder, 'tiny.gguf');
  }

  get conversations(): Language['conversations'] {
    return this.language.conversations;
  }

  async import(name: string, model: Uint8Array): Promise<void> {
    const path = join(this.folder, `${name}.gguf`);
    writeFileSync(path, model);
    await this.language.models.import(`import ${this.nextJob++}`, { path, name });
  }

  /** As if the engine were closed and started again. */
  async restart(): Promise<void> {
    await this.language.close();
    this.language = this.start();
  }

  async close(): Promise<void> {
    await this.language.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async create(
    settings: Partial<LanguageSettings> = {},
    more: Partial<RequestInput<'language.create'>> = {},
  ): Promise<string> {
    const input = { model: 'tiny', settings: { ...TINY_SETTINGS, ...settings }, ...more };
    return (await this.conversations.create(input)).id;
  }

  /** Sends a question and waits for the whole reply. */
  async ask(id: string, text: string): Promise<Message> {
    const ended = this.messageEnd();
    await this.conversations.send(id, text);
    return ended;
  }

  /** Asks for the last reply again, and waits for all of it. */
  async retry(id: string): Promise<Message> {
    const ended = this.messageEnd();
    await this.conversations.retry(id);
    return ended;
  }

  async messageEnd(): Promise<Message> {
    return (await this.event('message', () => true)).message;
  }

  /** The first event from now on that fits. */
  event<E extends EventName>(event: E, fits: (payload: Events[E]) => boolean): Promise<Events[E]> {
    return new Promise((resolve) => {
      const stop = this.bus.subscribe((message) => {
        if (message.event !== event || !fits(message.payload as Events[E])) return;
        stop();
        resolve(message.payload as Events[E]);
      });
    });
  }

  progress(messageId: string): LanguageProgress[] {
    return this.told.flatMap(({ event, payload }) =>
      event === 'languageProgress' && payload.messageId === messageId ? [payload] : [],
    );
  }

  private start(): Language {
    return startLanguage({
      dataDir: this.dataDir,
      threads: 1,
      loaded: this.budget,
      jobs: this.jobs,
      bus: this.bus,
      clock: systemClock,
      log: (line) => void this.log.push(line),
      ...this.options,
    });
  }
}

/** What `generate` gives for a conversation's questions and replies, loaded afresh. */
export async function generated(
  file: string,
  turns: readonly { readonly role: 'user' | 'assistant'; readonly content: string }[],
  settings: LanguageSettings = TINY_SETTINGS,
): Promise<Generation> {
  const environment = OrtEnvironment.open({ threads: 1 });
  const model = await openLanguageModel(file, environment);
  const { tokenizer } = model;
  const text = new ChatTemplate(file, tokenizer.chatTemplate).render(turns, tokenizer);
  const { maxTokens, temperature, topP, minP, seed } = settings;
  const prompt = tokenizer.encode(text, { addBos: false });
  const options = { maxTokens, sampling: { temperature, topP, minP, seed } };
  try {
    return await generate(model, prompt, options);
  } finally {
    model.close();
    environment.close();
  }
}
