import { SluiceError } from '../../core/contract';
import type { Session } from './session-types';

/** Brings a conversation into view as the engine has it, again when it is in view already. */
export async function openConversation(session: Session, id: string): Promise<void> {
  const { choose, setOpen, failOpen } = session.language.getState().actions;
  if (session.language.getState().chosen !== id) choose(id);
  try {
    setOpen(await session.client.request('language.open', { id }));
  } catch (thrown) {
    failOpen(id, SluiceError.from(thrown).toWire());
  }
}

/** What a fresh engine is asked about language models and conversations. */
export function loadLanguage(session: Session): readonly Promise<unknown>[] {
  const { client, language } = session;
  const { actions, chosen } = language.getState();
  // What was going on is told again.
  language.setState({ running: {}, loadError: undefined });
  const fail = (thrown: unknown): void => actions.failLoading(SluiceError.from(thrown).toWire());
  return [
    client.request('language.models', {}).then(actions.setModels, fail),
    client.request('language.conversations', {}).then(actions.setConversations, fail),
    client.request('language.compressors', {}).then(actions.setCompressors),
    // Its replies may have gone on or ended meanwhile.
    ...(chosen === undefined ? [] : [openConversation(session, chosen)]),
  ];
}

/** Keeps conversations as the engine tells them. */
export function followLanguage(session: Session): void {
  const { client, language } = session;
  const { actions } = language.getState();
  let reopening: string | undefined;
  // Another console asked something of the conversation in view.
  const reopen = (id: string): void => {
    if (reopening === id) return;
    reopening = id;
    void openConversation(session, id).finally(() => {
      reopening = undefined;
    });
  };
  client.on('languageModels', actions.setModels);
  client.on('conversations', actions.setConversations);
  client.on('languageProgress', (progress) => {
    if (!actions.progress(progress)) reopen(progress.conversationId);
  });
  client.on('message', ({ conversationId, message }) => {
    if (!actions.settle(conversationId, message)) reopen(conversationId);
  });
}
