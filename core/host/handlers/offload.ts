import type { OffloadRequests } from '../../contract';
import type { Handlers } from './handler';

export const offloadHandlers: Handlers<Extract<keyof OffloadRequests, `offload.${string}`>> = {
  'offload.state': (_input, { deployment }) => deployment.state(),
  'offload.configure': (change, { deployment }) => deployment.configure(change),
  'offload.addVariant': (variant, { deployment }) => deployment.addVariant(variant),
  'offload.removeVariant': ({ id }, { deployment }) => deployment.removeVariant(id),
  'offload.installExample': ({ jobId }, { deployment }) => deployment.installExample(jobId),
  'offload.start': (_input, { deployment }) => deployment.start(),
  'offload.stop': (_input, { deployment }) => deployment.stop(),
  'offload.pin': (pin, { deployment }) => deployment.pin(pin),
  'offload.unpin': ({ user }, { deployment }) => deployment.unpin(user),
  'offload.pauseLearning': ({ paused }, { deployment }) => deployment.pauseLearning(paused),
  'offload.reset': (_input, { deployment }) => deployment.reset(),
  'offload.restore': (_input, { deployment }) => deployment.restore(),
  'offload.decisions': ({ beforeId = Number.MAX_SAFE_INTEGER, limit }, { decisions }) =>
    decisions.list(beforeId, limit),
  'offload.beliefs': (_input, { deployment }) => deployment.beliefs(),
  'offload.curve': (_input, { deployment }) => deployment.learningCurve(),
  'offload.trace': ({ decisionId }, { decisions }) => decisions.trace(decisionId),
  'offload.export': ({ what }, { deployment, decisions }) =>
    what === 'checkpoint' ? deployment.checkpoint() : { name: 'decisions.jsonl', text: decisions.export() },
};
