import { createBoxClient, createBoxServices } from '../transport';
import type { BoxClient } from '../transport';
import type { KeyValueStorage } from '../stores';
import type { Session, SessionParts } from './session';
import { uniqueId } from './unique-id';

/** Sessions of other boxes; a few are kept, so that going back and forth is at once. */
export interface BoxSessions {
  readonly get: (box: string | undefined) => Session | undefined;
  /** Opens it if need be; the one that was not shown for longest is closed when there are too many. */
  readonly show: (box: string) => Session;
  readonly close: (box: string) => void;
  /** Ids of the boxes that have one. */
  readonly open: () => readonly string[];
}

/** What is remembered of a box is apart from what is remembered of this machine. */
function storageOf(storage: KeyValueStorage, box: string): KeyValueStorage {
  const keyOf = (key: string): string => `${key}.box.${box}`;
  return {
    getItem: (key) => storage.getItem(keyOf(key)),
    setItem: (key, value) => storage.setItem(keyOf(key), value),
  };
}

const KEPT = 3;

export interface BoxSessionParts {
  /** This machine's session; asked for when a box is shown, as it is being made itself before. */
  readonly home: () => Session;
  readonly parts: SessionParts;
  readonly create: (parts: SessionParts) => Session;
}

export function createBoxSessions({ home, parts, create }: BoxSessionParts): BoxSessions {
  /** The one shown last is the last. */
  const sessions = new Map<string, { readonly session: Session; readonly client: BoxClient }>();

  const close = (box: string): void => {
    sessions.get(box)?.client.close();
    sessions.delete(box);
  };
  const open = (box: string): { readonly session: Session; readonly client: BoxClient } => {
    const { fleet, host, client: local } = home();
    const present = () => fleet.getState().boxes?.get(box);
    const client = createBoxClient({
      local,
      box,
      present,
      watch: (changed) =>
        fleet.subscribe((state, before) => {
          if (state.boxes?.get(box) !== before.boxes?.get(box)) changed();
        }),
    });
    const session = create({
      ...parts,
      client,
      host: createBoxServices(host, local, box, uniqueId),
      storage: storageOf(parts.storage, box),
      home: home(),
    });
    return { session, client };
  };
  return {
    get: (box) => (box === undefined ? undefined : sessions.get(box)?.session),
    show: (box) => {
      const shown = sessions.get(box) ?? open(box);
      sessions.delete(box);
      sessions.set(box, shown);
      const [oldest] = sessions.keys();
      if (sessions.size > KEPT && oldest !== undefined) close(oldest);
      return shown.session;
    },
    close,
    open: () => [...sessions.keys()],
  };
}
