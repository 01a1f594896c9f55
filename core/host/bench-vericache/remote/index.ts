export { startPrefixNode } from './prefix-node';
export type { PrefixNode } from './prefix-node';
export { RemoteSide } from './remote-side';
