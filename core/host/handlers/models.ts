import type { Handlers } from './handler';

export const modelHandlers: Handlers<
  | 'models.list'
  | 'models.import'
  | 'models.importExample'
  | 'models.inspect'
  | 'models.verify'
  | 'models.remove'
  | 'models.removed'
  | 'models.restore'
  | 'models.discardRemoved'
> = {
  'models.list': (_input, { models }) => models.list(),
  'models.import': ({ jobId, ...input }, { models }) => models.import(jobId, input),
  'models.importExample': ({ jobId }, { models }) => models.importExample(jobId),
  'models.inspect': ({ name }, { models }) => models.inspect(name),
  'models.verify': ({ jobId, name }, { models }) => models.verify(jobId, name),
  'models.remove': ({ name }, { models }) => models.remove(name),
  'models.removed': (_input, { models }) => models.removed.list(),
  'models.restore': ({ name }, { models }) => models.restore(name),
  'models.discardRemoved': async (_input, { models }) => {
    await models.removed.discardAll();
    return {};
  },
};
