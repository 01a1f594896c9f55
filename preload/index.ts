import { contextBridge, ipcRenderer, webUtils } from 'electron';

import {
  ENGINE_PORT_CHANNEL,
  ENGINE_STATUS_CHANNEL,
  FILES_OPENED_CHANNEL,
  SHELL_REQUESTS,
  UPDATE_STATE_CHANNEL,
} from '../core/contract/shell';
import type { Reply, ShellBridge, ShellRequestName } from '../core/contract';

/** Since Electron 32 a dropped file's path comes from here; before, the renderer reads `File.path` itself. */
function pathOfFile(file: unknown): string {
  const current = webUtils as { readonly getPathForFile?: (file: File) => string } | undefined;
  return current?.getPathForFile !== undefined && file instanceof File ? current.getPathForFile(file) : '';
}

function makeRequests(): ShellBridge['request'] {
  const entries = SHELL_REQUESTS.map((name: ShellRequestName) => [
    name,
    (input: unknown): Promise<Reply<unknown>> => ipcRenderer.invoke(name, input) as Promise<Reply<unknown>>,
  ]);
  return Object.fromEntries(entries) as ShellBridge['request'];
}

/** Main alone sends on its channels, what the contract says. */
function listenOn(channel: string): (listener: (payload: never) => void) => () => void {
  return (listener) => {
    const forward = (_event: unknown, payload: unknown): void => listener(payload as never);
    ipcRenderer.on(channel, forward);
    return () => {
      ipcRenderer.off(channel, forward);
    };
  };
}

const bridge: ShellBridge = {
  request: makeRequests(),
  onEngineStatus: listenOn(ENGINE_STATUS_CHANNEL),
  onFilesOpened: listenOn(FILES_OPENED_CHANNEL),
  onUpdateState: listenOn(UPDATE_STATE_CHANNEL),
  pathOfFile,
};

// A MessagePort can't cross the context bridge; a window message can carry it to our own origin.
ipcRenderer.on(ENGINE_PORT_CHANNEL, (event) => {
  window.postMessage({ type: ENGINE_PORT_CHANNEL }, window.location.origin, [...event.ports]);
});

contextBridge.exposeInMainWorld('sluice', bridge);
