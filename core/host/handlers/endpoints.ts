import type { Handlers } from './handler';

export const endpointHandlers: Handlers<
  | 'endpoints.list'
  | 'endpoints.add'
  | 'endpoints.setToken'
  | 'endpoints.test'
  | 'endpoints.remove'
  | 'endpoints.restore'
> = {
  'endpoints.list': (_input, { endpoints }) => endpoints.list(),
  'endpoints.add': (endpoint, { endpoints }) => endpoints.add(endpoint),
  'endpoints.setToken': ({ id, token, kept }, { endpoints }) => endpoints.setToken(id, token, kept),
  'endpoints.test': ({ id }, { endpoints }) => endpoints.test(id),
  'endpoints.remove': async ({ id }, { endpoints }) => {
    await endpoints.remove(id);
    return {};
  },
  'endpoints.restore': ({ id }, { endpoints }) => endpoints.restore(id),
};
