import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type {
  CompressorSummary,
  Conversation,
  ConversationSummary,
  LanguageModelSummary,
  LanguageProgress,
  LanguageSettings,
  Message,
  WireError,
} from '../../core/contract';
import type { Verification } from './library-store';
import type { ModelAddition } from './model-addition';
import {
  addExchange,
  asChatMessage,
  failReplies,
  withProgress,
  withReply,
  withSettled,
} from './open-conversation';
import type { OpenConversation, RunningReply } from './open-conversation';

/** Something the engine refused. */
export interface LanguageFault {
  /** What was not done, as a user would say it. */
  readonly title: string;
  readonly error: WireError;
}

/** Where on the panel something was asked: its refusal is shown there. */
export type FaultPlace = 'list' | 'chat' | 'settings' | 'models';

export interface LanguageState {
  /** Undefined until the engine first answered. */
  readonly models?: readonly LanguageModelSummary[];
  /** Latest first; undefined until the engine first answered. */
  readonly conversations?: readonly ConversationSummary[];
  readonly loadError?: WireError | undefined;
  readonly compressors: readonly CompressorSummary[];
  /** Id of the conversation in view. */
  readonly chosen?: string | undefined;
  /** The conversation in view, once it has come. */
  readonly open?: OpenConversation | undefined;
  readonly openError?: WireError | undefined;
  /** Replies under way, by conversation. */
  readonly running: Readonly<Record<string, RunningReply>>;
  /** Reply whose rounds are shown; undefined: the last one. */
  readonly shownReply?: string | undefined;
  /** Model the user picked for the next conversation. */
  readonly pickedModel?: string | undefined;
  /** What is being typed, by conversation. */
  readonly drafts: Readonly<Record<string, string>>;
  readonly faults: Partial<Readonly<Record<FaultPlace, LanguageFault>>>;
  /** Imports and downloads under way, and those that failed. */
  readonly additions: readonly ModelAddition[];
  readonly verifications: Readonly<Record<string, Verification>>;
  readonly actions: LanguageActions;
}

interface LanguageActions {
  readonly setModels: (models: readonly LanguageModelSummary[]) => void;
  readonly setCompressors: (compressors: readonly CompressorSummary[]) => void;
  readonly setConversations: (conversations: readonly ConversationSummary[]) => void;
  readonly failLoading: (error: WireError) => void;
  readonly choose: (id: string | undefined) => void;
  /** Shows what the engine has of the chosen conversation; another one's is left aside. */
  readonly setOpen: (conversation: Conversation) => void;
  readonly failOpen: (id: string, error: WireError) => void;
  readonly addExchange: (id: string, question: Message, reply: Message) => void;
  /** Puts a reply in the place of the last one. */
  readonly replaceReply: (id: string, reply: Message) => void;
  /** @returns false when it goes on with a message of the open conversation that was never told of. */
  readonly progress: (progress: LanguageProgress) => boolean;
  /** A message came to its end. @returns as `progress`. */
  readonly settle: (id: string, message: Message) => boolean;
  readonly setSettings: (id: string, settings: LanguageSettings) => void;
  readonly setSummary: (summary: ConversationSummary) => void;
  readonly setCache: (conversation: Pick<Conversation, 'id' | 'memory' | 'map'>) => void;
  /** Replies under way are lost with their engine. */
  readonly failRunning: (error: WireError) => void;
  readonly showReply: (messageId: string | undefined) => void;
  readonly pickModel: (name: string) => void;
  readonly setDraft: (id: string, text: string) => void;
  readonly setFault: (place: FaultPlace, fault: LanguageFault | undefined) => void;
  readonly beginAddition: (addition: ModelAddition) => void;
  readonly changeAddition: (id: string, part: Partial<ModelAddition>) => void;
  readonly endAddition: (id: string) => void;
  readonly setVerification: (name: string, verification: Verification | undefined) => void;
}

export type LanguageStore = StoreApi<LanguageState>;

function latestFirst(list: readonly ConversationSummary[]): readonly ConversationSummary[] {
  return [...list].sort((a, b) => b.updatedAt.localeCompare(a.updatedAt));
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
}

type Set = StoreApi<LanguageState>['setState'];
type Get = StoreApi<LanguageState>['getState'];

/** What the engine tells of conversations. `nowMs`: monotonic milliseconds. */
function conversationActions(set: Set, get: Get, nowMs: () => number) {
  /** Changes the open conversation if it is this one. */
  const change = (id: string, work: (open: OpenConversation) => OpenConversation): void =>
    set(({ open }) => (open?.summary.id === id ? { open: work(open) } : {}));
  const knows = (id: string, messageId: string): boolean => {
    const { open } = get();
    return open?.summary.id !== id || open.messages.some((message) => message.id === messageId);
  };
  return {
    setOpen: ({ settings, messages, memory, map, ...summary }) =>
      set(({ chosen, running }) => {
        if (chosen !== summary.id) return {};
        const open = { summary, settings, messages: messages.map(asChatMessage), memory, map };
        const isRunning = messages.some(({ state }) => state === 'running');
        return { open, openError: undefined, running: isRunning ? running : without(running, summary.id) };
      }),
    failOpen: (id, openError) => set(({ chosen }) => (chosen === id ? { openError } : {})),
    addExchange: (id, question, reply) => change(id, (open) => addExchange(open, question, reply)),
    replaceReply: (id, reply) => change(id, (open) => withReply(open, reply)),
    progress: (progress) => {
      const { conversationId: id, messageId } = progress;
      set(({ open, running }) => ({
        running: { ...running, [id]: withProgress(running[id], progress, nowMs()) },
        ...(open?.summary.id === id ? { open: withSettled(open, messageId, { progress }) } : {}),
      }));
      return knows(id, messageId);
    },
    settle: (id, message) => {
      set(({ open, running }) => ({
        running: without(running, id),
        ...(open?.summary.id === id ? { open: withSettled(open, message.id, { message }) } : {}),
      }));
      return knows(id, message.id);
    },
    setSettings: (id, settings) => change(id, (open) => ({ ...open, settings })),
    setSummary: (summary) =>
      set(({ open, conversations }) => ({
        ...(open?.summary.id === summary.id ? { open: { ...open, summary } } : {}),
        ...(conversations === undefined
          ? {}
          : { conversations: conversations.map((old) => (old.id === summary.id ? summary : old)) }),
      })),
    setCache: ({ id, memory, map }) => change(id, (open) => ({ ...open, memory, map })),
    failRunning: (error) =>
      set(({ open }) => ({ running: {}, ...(open && { open: failReplies(open, error) }) })),
  } satisfies Partial<LanguageActions>;
}

/** What the user does on the panel. */
function panelActions(set: Set) {
  return {
    choose: (chosen) =>
      set(({ open, faults }) => ({
        chosen,
        open: open?.summary.id === chosen ? open : undefined,
        openError: undefined,
        shownReply: undefined,
        faults: { ...(faults.models && { models: faults.models }) },
      })),
    showReply: (shownReply) => set({ shownReply }),
    pickModel: (pickedModel) => set({ pickedModel }),
    setDraft: (id, text) => set(({ drafts }) => ({ drafts: { ...drafts, [id]: text } })),
    setFault: (place, fault) =>
      set(({ faults }) => ({
        faults:
          fault === undefined
            ? without(faults as Record<string, LanguageFault>, place)
            : { ...faults, [place]: fault },
      })),
    beginAddition: (addition) => set(({ additions }) => ({ additions: [addition, ...additions] })),
    changeAddition: (id, part) =>
      set(({ additions }) => ({
        additions: additions.map((old) => (old.id === id ? { ...old, ...part } : old)),
      })),
    endAddition: (id) => set(({ additions }) => ({ additions: additions.filter((old) => old.id !== id) })),
    setVerification: (name, verification) =>
      set(({ verifications }) => ({
        verifications: {
          ...without(verifications, name),
          ...(verification === undefined ? {} : { [name]: verification }),
        },
      })),
  } satisfies Partial<LanguageActions>;
}

/** Language models, conversations and the one in view. `nowMs`: monotonic milliseconds. */
export function createLanguageStore(nowMs: () => number): LanguageStore {
  return createStore<LanguageState>((set, get) => ({
    compressors: [],
    running: {},
    drafts: {},
    faults: {},
    additions: [],
    verifications: {},
    actions: {
      setModels: (models) => set({ models: [...models].sort((a, b) => a.name.localeCompare(b.name)) }),
      setCompressors: (compressors) => set({ compressors }),
      setConversations: (list) =>
        set(({ open, chosen }) => {
          const summary = list.find(({ id }) => id === open?.summary.id);
          const isGone = chosen !== undefined && !list.some(({ id }) => id === chosen);
          return {
            conversations: latestFirst(list),
            ...(open && summary ? { open: { ...open, summary } } : {}),
            ...(isGone ? { chosen: undefined, open: undefined, openError: undefined } : {}),
          };
        }),
      failLoading: (loadError) => set({ loadError }),
      ...conversationActions(set, get, nowMs),
      ...panelActions(set),
    },
  }));
}
