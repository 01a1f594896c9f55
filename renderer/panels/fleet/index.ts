import { strings } from '../../strings';
import { FleetIcon } from '../../ui';
import type { PanelDefinition } from '../panel';
import { FleetView } from './fleet-view';

const WORDS = strings.fleet;

export const fleetPanel: PanelDefinition = {
  id: 'fleet',
  title: WORDS.title,
  Icon: FleetIcon,
  View: FleetView,
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
