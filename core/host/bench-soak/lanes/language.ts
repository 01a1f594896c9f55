import { SluiceError, DEFAULT_LANGUAGE_SETTINGS } from '../../../contract';
import type { LanguageSettings, Message } from '../../../contract';
import type { SoakWorld } from '../soak-world';
import type { Lane } from './lane';

export const LANGUAGE_MODEL = 'soak-language';
const QUESTIONS = ['What does a sluice do?', 'Name three rivers.', 'Count to ten, then say why.'] as const;
const SETTINGS: LanguageSettings = { ...DEFAULT_LANGUAGE_SETTINGS, maxTokens: 16, ratio: 2 };
/** One conversation in so many is kept. */
const KEEP_EVERY = 4;

interface KeptConversation {
  readonly id: string;
  /** Of its reply; absent when none was acknowledged. */
  text?: string;
}

/** Conversations by VeriCache, whose replies must be those of the full cache. */
export async function languageLane(world: SoakWorld, modelPath: string): Promise<Lane> {
  const imported = { jobId: 'import language', path: modelPath, name: LANGUAGE_MODEL };
  await world.host().request('language.import', imported);
  const references: string[] = [];
  for (const question of QUESTIONS) {
    const id = await create(world, { ...SETTINGS, mode: 'full' });
    references.push(await ask(world, id, question));
    await world.host().request('language.delete', { id });
  }
  const kept: KeptConversation[] = [];
  let turn = 0;
  return {
    system: 'language',
    name: 'conversations',
    pauseMs: 200,
    work: async () => {
      const at = turn % QUESTIONS.length;
      const isKept = turn % KEEP_EVERY === 0;
      turn += 1;
      const id = await create(world, SETTINGS);
      const conversation: KeptConversation = { id };
      if (isKept) kept.push(conversation);
      const text = await ask(world, id, QUESTIONS[at]!);
      if (isKept) conversation.text = text;
      else await world.host().request('language.delete', { id });
      return text === references[at] ? 'right' : 'wrong';
    },
    check: async () => {
      const faults = await Promise.all(kept.map((conversation) => faultOf(world, conversation)));
      const verified = await world
        .host()
        .request('language.verify', { jobId: 'verify language', name: LANGUAGE_MODEL });
      const models = verified.ok ? [] : [`language model ${LANGUAGE_MODEL} is not what was imported`];
      return {
        acknowledged: kept.length + 1,
        lost: [...faults.filter((fault) => fault !== undefined), ...models],
      };
    },
  };
}

async function create({ host }: SoakWorld, settings: LanguageSettings): Promise<string> {
  return (await host().request('language.create', { model: LANGUAGE_MODEL, settings })).id;
}

/** @returns the reply, which is on disk. @throws SluiceError what it failed with. */
async function ask({ host }: SoakWorld, id: string, text: string): Promise<string> {
  const link = host();
  const ended = link.event('message', ({ conversationId }) => conversationId === id);
  try {
    await link.request('language.send', { id, text });
    const { message } = await ended.came;
    if (message.state === 'done') return textOf(message);
    throw message.error
      ? SluiceError.fromWire(message.error)
      : new SluiceError('cancelled', 'The reply was stopped.');
  } finally {
    ended.forget();
  }
}

async function faultOf({ host }: SoakWorld, { id, text }: KeptConversation): Promise<string | undefined> {
  try {
    const { messages } = await host().request('language.open', { id });
    if (text === undefined) return undefined;
    const last = messages.at(-1);
    return last && textOf(last) === text ? undefined : `the reply of conversation ${id}`;
  } catch (thrown) {
    return `conversation ${id}: ${SluiceError.from(thrown).message}`;
  }
}

function textOf({ pieces }: Message): string {
  return pieces.map(({ text }) => text).join('');
}
