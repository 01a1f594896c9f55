import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import type { ShellBridge } from '../core/contract';
import { App } from './app';
import { panelOf, PANELS } from './panels';
import { createSession, SessionContext } from './session';
import type { Session, SessionParts } from './session';
import './styles/tokens.css';
import './styles/base.css';
import {
  browserSocketParts,
  createBrowserServices,
  createElectronServices,
  createPortClient,
  createSocketClient,
} from './transport';
import { loadWhenIdle } from './ui';

declare global {
  interface Window {
    /** Made by preload; absent in a browser. */
    readonly sluice?: ShellBridge;
  }
}

/** For `sluice bench console`: what came before is drawn. */
function markDrawn(name: 'sluice-interactive' | 'sluice-filled'): void {
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark(name)));
}

function openSession(): Session {
  const session = connect({
    onAnswered: () => void shown.then(() => markDrawn('sluice-interactive')),
    onFilled: () =>
      void shown.then(() => {
        markDrawn('sluice-filled');
        loadWhenIdle(PANELS.map(({ view }) => view));
      }),
  });
  // It comes while the engine starts, the others later: switching is then no wait. A failure is told in its place.
  const shown = panelOf(session.layout.getState().panel)
    .view.load()
    .catch(() => undefined);
  return session;
}

function connect(moments: Pick<SessionParts, 'onAnswered' | 'onFilled'>): Session {
  const shared = {
    storage: window.localStorage,
    defaultPanel: PANELS[0].id,
    nowMs: () => performance.now(),
    ...moments,
  };
  const bridge = window.sluice;
  if (bridge !== undefined) {
    return createSession({
      ...shared,
      client: createPortClient(bridge, window),
      host: createElectronServices(bridge),
    });
  }
  const client = createSocketClient(browserSocketParts(window.location));
  return createSession({ ...shared, client, host: createBrowserServices() });
}

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with id "root"');
createRoot(root).render(
  <StrictMode>
    <SessionContext value={openSession()}>
      <App />
    </SessionContext>
  </StrictMode>,
);
