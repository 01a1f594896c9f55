export { createBoxClient } from './box-client';
export type { BoxClient } from './box-client';
export { createBoxServices } from './box-services';
export type { EngineClient } from './engine-client';
export { createBrowserServices, createElectronServices, fileAt } from './host-services';
export type { ApplicationUpdates, ChosenFile, HostServices, Keychain, SendProgress } from './host-services';
export { createPortClient } from './port-client';
export { browserSocketParts, createSocketClient } from './socket-client';
