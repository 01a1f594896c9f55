import { updateProblem } from './update-problems';

/** As much of Electron's session as is used. */
export interface NetSession {
  readonly webRequest: {
    readonly onBeforeRequest: (
      listener: (
        details: { readonly url: string },
        reply: (answer: { readonly cancel: boolean }) => void,
      ) => void,
    ) => void;
  };
}

export interface UpdateServerParts {
  readonly session: NetSession;
  readonly url: string;
  /** Without a word of the server for this long, it is given up. */
  readonly silenceMs: number;
  /** Is to leave behind what was under way. */
  readonly onSilence: () => void;
  /** @returns what cancels it. */
  readonly schedule: (run: () => void, delayMs: number) => () => void;
}

/** Does `work` with the server. `heard` is to be called whenever it says something. @throws with why it failed. */
export type AskServer = <T>(work: (heard: () => void) => Promise<T>) => Promise<T>;

/**
 * Keeps a session to one server, whatever redirects or a list of versions say: a checksum that comes from there is worth
 * as much as the way to it. And gives up one that says nothing, which electron-updater would wait for without end.
 */
export function updateServer(parts: UpdateServerParts): AskServer {
  const { session, url, silenceMs, onSilence, schedule } = parts;
  const { origin } = new URL(url);
  const refused = new Set<string>();
  session.webRequest.onBeforeRequest((details, reply) => {
    const asked = new URL(details.url).origin;
    if (asked !== origin) refused.add(asked);
    reply({ cancel: asked !== origin });
  });

  return async <T>(work: (heard: () => void) => Promise<T>): Promise<T> => {
    refused.clear();
    let cancel = (): void => undefined;
    let giveUp: (reason: Error) => void;
    const silence = new Promise<never>((_, fail) => (giveUp = fail));
    const heard = (): void => {
      cancel();
      cancel = schedule(() => {
        giveUp(new Error(`${origin} said nothing for ${silenceMs / 1000} s`));
        onSilence();
      }, silenceMs);
    };
    heard();
    try {
      return await Promise.race([work(heard), silence]);
    } catch (thrown) {
      const [elsewhere] = refused;
      throw new Error(updateProblem(thrown, { origin, elsewhere }), { cause: thrown });
    } finally {
      cancel();
    }
  };
}
