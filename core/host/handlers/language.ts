import type { LanguageRequests } from '../../contract';
import type { Handlers } from './handler';

export const languageHandlers: Handlers<keyof LanguageRequests> = {
  'language.models': async (_input, { language }) => (await language()).models.list(),
  'language.compressors': async (_input, { language }) => (await language()).compressors,
  'language.import': async ({ jobId, ...input }, { language }) =>
    (await language()).models.import(jobId, input),
  'language.pull': async ({ jobId, ...input }, { language }) => (await language()).models.pull(jobId, input),
  'language.verify': async ({ jobId, name }, { language }) => (await language()).models.verify(jobId, name),
  'language.remove': async ({ name }, { language }) => {
    await (await language()).models.remove(name);
    return {};
  },
  'language.conversations': async (_input, { language }) => (await language()).conversations.list(),
  'language.create': async (input, { language }) => (await language()).conversations.create(input),
  'language.open': async ({ id }, { language }) => (await language()).conversations.open(id),
  'language.rename': async ({ id, title }, { language }) =>
    (await language()).conversations.rename(id, title),
  'language.delete': async ({ id }, { language }) => {
    await (await language()).conversations.delete(id);
    return {};
  },
  'language.configure': async (input, { language }) => (await language()).conversations.configure(input),
  'language.send': async ({ id, text }, { language }) => (await language()).conversations.send(id, text),
  'language.retry': async ({ id }, { language }) => (await language()).conversations.retry(id),
  'language.stop': async ({ id }, { language }) => {
    await (await language()).conversations.stop(id);
    return {};
  },
};
