import { strings } from '../../strings';
import { FleetIcon, lazyView } from '../../ui';
import type { PanelDefinition } from '../panel';

const WORDS = strings.fleet;

export const fleetPanel: PanelDefinition = {
  id: 'fleet',
  title: WORDS.title,
  Icon: FleetIcon,
  view: lazyView(() => import('./fleet-view').then(({ FleetView }) => FleetView)),
  commands: (session) => [
    {
      id: 'fleet.add',
      title: WORDS.commands.add,
      keywords: WORDS.commands.addKeywords,
      run: () => {
        session.layout.getState().actions.setPanel('fleet');
        session.fleet.getState().actions.setAdding(true);
      },
    },
  ],
};
