import { createContext, useContext } from 'react';

import type { Session } from './session-types';

export const SessionContext = createContext<Session | undefined>(undefined);

/** The session of this page. Use with zustand's `useStore(session.runs, selector)`. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('useSession needs a SessionContext around it');
  return session;
}
