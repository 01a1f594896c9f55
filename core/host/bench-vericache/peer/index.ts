export { measurePeer } from './measure-peer';
export type { PeerOptions } from './measure-peer';
export { peerRatios } from './peer-rows';
export type { PeerRatio, PeerRow } from './peer-rows';
export type { PeerPrecision, PeerSide } from './side-protocol';
