import { strings } from '../../strings';
import { RunIcon, lazyView } from '../../ui';
import type { PanelDefinition } from '../panel';
import { chooseModel, takeInputFile } from './run-actions';
import { runCommands } from './run-commands';

const STRINGS = strings.run;

export { offeredInputs, runRequest, startRun } from './run-actions';

export const runPanel: PanelDefinition = {
  id: 'run',
  title: STRINGS.title,
  Icon: RunIcon,
  view: lazyView(() => import('./run-view').then(({ RunView }) => RunView)),
  drop: {
    hint: STRINGS.dropHint,
    accepts: (name) => /\.(png|jpe?g|webp|json)$/i.test(name),
    take: (session, file) => {
      const model = chooseModel(session.models.getState().models ?? [], session.layout.getState().model);
      if (model !== undefined) void takeInputFile(session, model.name, file);
    },
  },
  commands: runCommands,
};
