import { chromeTrace } from '../../layering';
import { EXAMPLES } from '../../vision';
import { inputImage } from '../inputs/load-input';
import type { Handlers } from './handler';

export const runHandlers: Handlers<
  | 'inputs.examples'
  | 'inputs.image'
  | 'runs.start'
  | 'runs.stop'
  | 'runs.list'
  | 'runs.trace'
  | 'runs.exportTrace'
> = {
  'inputs.examples': () => EXAMPLES,
  'inputs.image': ({ input }, { appRoot }) => inputImage(input, appRoot),
  'runs.start': (request, { runs }) => ({ runId: runs.start(request) }),
  'runs.stop': ({ runId }, { runs }) => {
    runs.stop(runId);
    return {};
  },
  'runs.list': (_input, { runs }) => runs.list(),
  'runs.trace': ({ runId }, { runs }) => runs.trace(runId),
  'runs.exportTrace': ({ runId }, { runs }) => ({ json: chromeTrace(runs.trace(runId)) }),
};
