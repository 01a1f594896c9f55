import type { LabStatusRequests } from '../../contract';
import type { Handlers } from './handler';

export const labStatusHandlers: Handlers<keyof LabStatusRequests> = {
  'lab.status': async (_input, { lab }) => (await lab()).status(),
  'lab.start': async (_input, { lab }) => (await lab()).start(),
};
