import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { DeviceInfo, EngineInfo, EngineStatus } from '../../core/contract';

export interface EngineState {
  readonly status: EngineStatus;
  /** Of the present or the last engine. */
  readonly info?: EngineInfo;
  readonly device?: DeviceInfo;
  readonly actions: {
    readonly setStatus: (status: EngineStatus) => void;
    readonly setInfo: (info: EngineInfo) => void;
    readonly setDevice: (device: DeviceInfo) => void;
  };
}

export type EngineStore = StoreApi<EngineState>;

export function createEngineStore(): EngineStore {
  return createStore<EngineState>((set) => ({
    status: { state: 'starting' },
    actions: {
      setStatus: (status) => set({ status }),
      setInfo: (info) => set({ info }),
      setDevice: (device) => set({ device }),
    },
  }));
}
