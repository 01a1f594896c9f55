import type { RequestInput, RequestName, RequestOutput } from '../../../core/contract';
import { createSession } from '../../session';
import type { Session } from '../../session';
import { NO_KEYCHAIN } from '../../test-support/no-keychain';

export type Answers = {
  [N in RequestName]?: (input: RequestInput<N>) => RequestOutput<N> | Promise<RequestOutput<N>>;
};

/** A session whose engine is `ok` and answers what a test scripts; every other request fails. */
export function testSession(answers: Answers): Session {
  const stored = new Map<string, string>();
  const request = async <N extends RequestName>(
    name: N,
    input: RequestInput<N>,
  ): Promise<RequestOutput<N>> => {
    const answer = answers[name];
    if (answer === undefined) throw new Error(`the test scripts no answer to ${name}`);
    return answer(input);
  };
  return createSession({
    client: {
      request,
      on: () => () => undefined,
      status: () => ({ state: 'starting' }),
      onStatus: () => () => undefined,
      revive: () => undefined,
    },
    host: {
      kind: 'browser',
      chooseModel: () => Promise.resolve(undefined),
      chooseLanguageModel: () => Promise.resolve(undefined),
      chooseImage: () => Promise.resolve(undefined),
      dropped: (file) => ({ kind: 'file', name: file.name, file }),
      upload: () => Promise.resolve(''),
      saveText: (name) => Promise.resolve(name),
      keychain: NO_KEYCHAIN,
    },
    storage: {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => void stored.set(key, value),
    },
    defaultPanel: 'timeline',
    nowMs: () => 0,
  });
}
