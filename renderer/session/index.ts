export { startLab, watchLab } from './lab';
export { openConversation } from './language';
export { createSession } from './session';
export type { Session } from './session';
export { SessionContext, useSession } from './session-context';
export { uniqueId } from './unique-id';
export { cancelWork, pathOnEngine } from './uploads';
export { useRequest } from './use-request';
export type { Answer } from './use-request';
