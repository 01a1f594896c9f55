import { SluiceError } from '../../../core/contract';
import type { Conversation, LanguageSettings } from '../../../core/contract';
import { openConversation } from '../../session';
import type { Session } from '../../session';
import type { FaultPlace, LanguageState } from '../../stores';
import { strings } from '../../strings';

const STRINGS = strings.language;

const FAULTS = STRINGS.faults;

/** Asks for one thing; a refusal is kept where it was asked, under what was not done. */
async function ask<T>(
  session: Session,
  place: FaultPlace,
  title: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const { setFault } = session.language.getState().actions;
  setFault(place, undefined);
  try {
    return await work();
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    if (error.code !== 'cancelled') setFault(place, { title, error: error.toWire() });
    return undefined;
  }
}

/** The model of the next conversation: the one picked, else that of the one in view, else the first that is ready. */
export function nextModel({ models = [], pickedModel, open }: LanguageState): string | undefined {
  const ready = models.filter(({ state }) => state === 'ready').map(({ name }) => name);
  return [pickedModel, open?.summary.model].find((name) => name && ready.includes(name)) ?? ready[0];
}

/** Begins a conversation with a model, set like the one in view, and shows it. */
export async function createConversation(session: Session, model: string): Promise<void> {
  const { language, client } = session;
  const { open } = language.getState();
  // Another model has another vocabulary, mostly.
  const settings =
    open && open.summary.model !== model ? { ...open.settings, draftModel: '' } : open?.settings;
  const made = await ask(session, 'list', FAULTS.create, () =>
    client.request('language.create', { model, ...(settings === undefined ? {} : { settings }) }),
  );
  if (made === undefined) return;
  const { actions, conversations = [] } = language.getState();
  // The engine tells of it, too; it is in the list whichever comes first.
  if (!conversations.some(({ id }) => id === made.id)) actions.setConversations([made, ...conversations]);
  actions.choose(made.id);
  actions.setOpen(made);
}

export async function renameConversation(session: Session, id: string, title: string): Promise<void> {
  const summary = await ask(session, 'list', FAULTS.rename, () =>
    session.client.request('language.rename', { id, title }),
  );
  if (summary !== undefined) session.language.getState().actions.setSummary(summary);
}

/** Deletes for good. In its place the next conversation comes into view. */
export async function deleteConversation(session: Session, id: string): Promise<void> {
  const done = await ask(session, 'list', FAULTS.delete, () =>
    session.client.request('language.delete', { id }),
  );
  if (done === undefined) return;
  const { actions, conversations = [], chosen } = session.language.getState();
  const at = conversations.findIndex((summary) => summary.id === id);
  const rest = conversations.filter((summary) => summary.id !== id);
  actions.setConversations(rest);
  const next = rest[Math.min(Math.max(at, 0), rest.length - 1)];
  if (chosen === id && next !== undefined) await openConversation(session, next.id);
}

/** Sends what is typed. Refused text stays in the field. */
export async function sendDraft(session: Session, id: string): Promise<void> {
  const { drafts, actions } = session.language.getState();
  const text = drafts[id] ?? '';
  if (text.trim() === '') return;
  actions.setDraft(id, '');
  const sent = await ask(session, 'chat', FAULTS.send, () =>
    session.client.request('language.send', { id, text }),
  );
  const { drafts: now } = session.language.getState();
  if (sent !== undefined) {
    actions.showReply(undefined);
    actions.addExchange(id, sent.question, sent.reply);
  } else if ((now[id] ?? '') === '') actions.setDraft(id, text);
}

/** Asks for the last reply again, or goes on after one that did not end by itself. */
export async function retryReply(session: Session, id: string): Promise<void> {
  const again = await ask(session, 'chat', FAULTS.retry, () =>
    session.client.request('language.retry', { id }),
  );
  if (again === undefined) return;
  const { actions } = session.language.getState();
  actions.showReply(undefined);
  actions.replaceReply(id, again.reply);
}

export async function stopReply(session: Session, id: string): Promise<void> {
  await ask(session, 'chat', FAULTS.stop, () => session.client.request('language.stop', { id }));
}

/** Settings on their way to the engine, and how often they were changed since. */
interface Sending {
  readonly id: string;
  changes: number;
}

/** By session: a slider's steps are not sent one by one. */
const sendings = new WeakMap<Session, Sending>();

/**
 * Changes settings of the conversation in view. They show at once; while one change is on its way, only the latest of
 * those that follow is sent. Refused, the engine's own come back.
 */
export async function configure(session: Session, part: Partial<LanguageSettings>): Promise<void> {
  const { open, actions } = session.language.getState();
  if (open === undefined) return;
  const { id } = open.summary;
  actions.setSettings(id, { ...open.settings, ...part });
  const under = sendings.get(session);
  if (under?.id === id) {
    under.changes += 1;
    return;
  }
  const sending: Sending = { id, changes: 1 };
  sendings.set(session, sending);
  let inForce = open.settings;
  for (let sent = 0; sent < sending.changes;) {
    sent = sending.changes;
    const answer = await sendSettings(session, id);
    if (answer === undefined) break;
    inForce = answer.settings;
    actions.setCache(answer);
  }
  if (sendings.get(session) === sending) sendings.delete(session);
  actions.setSettings(id, inForce);
}

async function sendSettings(session: Session, id: string): Promise<Conversation | undefined> {
  const { open } = session.language.getState();
  if (open?.summary.id !== id) return undefined;
  return ask(session, 'settings', FAULTS.configure, () =>
    session.client.request('language.configure', { id, settings: open.settings }),
  );
}
