import type { UpdateState } from '../core/contract';

/** As much of electron-updater as is used. It checks the SHA-512 of what it downloads, and signatures where there are any. */
export interface Updater {
  /** @returns the newest version that is known: the server's, or the one that runs. @throws when it can't be asked. */
  readonly newest: () => Promise<{ readonly version: string; readonly isNewer: boolean }>;
  /** @throws when it can't be downloaded, or is not what the server said. */
  readonly download: (onPercent: (percent: number) => void) => Promise<void>;
  /** Ends the application. */
  readonly install: () => void;
}

export interface Updates {
  readonly state: () => UpdateState;
  readonly check: () => UpdateState;
  readonly download: () => UpdateState;
  readonly install: () => UpdateState;
}

export interface UpdatesParts {
  /** Why there are none, or undefined where they are switched on. */
  readonly off: string | undefined;
  /** Loads the updater; asked for only when a server is to be asked. */
  readonly load: () => Promise<Updater>;
  readonly onState: (state: UpdateState) => void;
}

/**
 * The update of the application itself: idle -> checking -> current | available -> downloading -> ready, or `failed`
 * from either work, after which it can be checked again. Every step is the user's; what is out of turn changes nothing.
 */
export function createUpdates({ off, load, onState }: UpdatesParts): Updates {
  let state: UpdateState = off === undefined ? { state: 'idle' } : { state: 'off', reason: off };
  let updater: Updater | undefined;

  const become = (next: UpdateState): UpdateState => {
    state = next;
    onState(next);
    return next;
  };
  const attempt = async (what: string, work: () => Promise<UpdateState>): Promise<void> => {
    try {
      become(await work());
    } catch (thrown) {
      const [reason = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n');
      become({ state: 'failed', message: `${what} failed: ${reason}` });
    }
  };

  const check = async (): Promise<UpdateState> => {
    updater ??= await load();
    const { version, isNewer } = await updater.newest();
    return isNewer ? { state: 'available', version } : { state: 'current', version };
  };
  const download = async (version: string): Promise<UpdateState> => {
    await updater?.download((percent) => {
      const whole = Math.min(100, Math.max(0, Math.floor(percent)));
      if (state.state === 'downloading' && state.percent !== whole) become({ ...state, percent: whole });
    });
    return { state: 'ready', version };
  };

  return {
    state: () => state,
    check: () => {
      // Whoever asks is told why nothing is done.
      if (state.state === 'off') return become(state);
      if (!['idle', 'current', 'available', 'failed'].includes(state.state)) return state;
      become({ state: 'checking' });
      void attempt('The check for updates', check);
      return state;
    },
    download: () => {
      if (state.state !== 'available') return state;
      const { version } = state;
      become({ state: 'downloading', version, percent: 0 });
      void attempt(`The download of version ${version}`, () => download(version));
      return state;
    },
    install: () => {
      if (state.state === 'ready') updater?.install();
      return state;
    },
  };
}
