import { createBoxClient, createBoxServices } from '../transport';
import type { BoxClient } from '../transport';
import type { KeyValueStorage } from '../stores';
import type { BoxSessions, Session, SessionParts } from './session-types';
import { uniqueId } from './unique-id';

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
