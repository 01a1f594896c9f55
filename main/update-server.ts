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
  /** Ends what is under way with a failure. */
  readonly closeAllConnections: () => Promise<void>;
}

export interface UpdateServerParts {
  readonly session: NetSession;
  readonly url: string;
  /** Without a word of the server for this long, it is given up. */
  readonly silenceMs: number;
  /** @returns what cancels it. */
  readonly schedule: (run: () => void, delayMs: number) => () => void;
}

/** Does `work` with the server. `heard` is to be called whenever it says something. @throws with why it failed. */
export type AskServer = <T>(work: (heard: () => void) => Promise<T>) => Promise<T>;

/**
 * Keeps a session to one server, whatever redirects or a list of versions say: a checksum that comes from there is worth
 * as much as the way to it. And gives up one that says nothing, which electron-updater would wait for without end.
 */
export function updateServer({ session, url, silenceMs, schedule }: UpdateServerParts): AskServer {
  const { origin } = new URL(url);
  let elsewhere: string | undefined;
  session.webRequest.onBeforeRequest((details, reply) => {
    const asked = new URL(details.url).origin;
    if (asked !== origin) elsewhere = asked;
    reply({ cancel: asked !== origin });
  });

  return async <T>(work: (heard: () => void) => Promise<T>): Promise<T> => {
    elsewhere = undefined;
    let cancel = (): void => undefined;
    let giveUp: (reason: Error) => void;
    const silence = new Promise<never>((_, fail) => (giveUp = fail));
    const heard = (): void => {
      cancel();
      cancel = schedule(() => {
        giveUp(new Error(`${origin} said nothing for ${silenceMs / 1000} s`));
        void session.closeAllConnections();
      }, silenceMs);
    };
    heard();
    try {
      return await Promise.race([work(heard), silence]);
    } catch (thrown) {
      throw new Error(updateProblem(thrown, { origin, ...(elsewhere !== undefined && { elsewhere }) }), {
        cause: thrown,
      });
    } finally {
      cancel();
    }
  };
}
