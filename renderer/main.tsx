import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import type { ShellBridge } from '../core/contract';
import { App } from './app';
import { PANELS } from './panels';
import { createSession, SessionContext } from './session';
import type { Session } from './session';
import './styles/tokens.css';
import './styles/base.css';
import {
  browserSocketParts,
  createBrowserServices,
  createElectronServices,
  createPortClient,
  createSocketClient,
} from './transport';

declare global {
  interface Window {
    /** Made by preload; absent in a browser. */
    readonly sluice?: ShellBridge;
  }
}

/** For `sluice bench console`: the window is drawn with what the engine told, and answers. */
function markInteractive(): void {
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('sluice-interactive')));
}

function openSession(): Session {
  const shared = {
    storage: window.localStorage,
    defaultPanel: PANELS[0]?.id ?? '',
    nowMs: () => performance.now(),
    onFilled: markInteractive,
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
