export type { EngineClient } from './engine-client';
export { createBrowserServices, createElectronServices, fileAt } from './host-services';
export type { ApplicationUpdates, ChosenFile, HostServices, Keychain } from './host-services';
export { createPortClient } from './port-client';
export { browserSocketParts, createSocketClient } from './socket-client';
