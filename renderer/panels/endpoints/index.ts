import { strings } from '../../strings';
import { EndpointsIcon, lazyView } from '../../ui';
import type { PanelDefinition } from '../panel';
import { testEndpoint } from './endpoint-actions';

const STRINGS = strings.endpoints;

export const endpointsPanel: PanelDefinition = {
  id: 'endpoints',
  title: STRINGS.title,
  Icon: EndpointsIcon,
  view: lazyView(() => import('./endpoints-view').then(({ EndpointsView }) => EndpointsView)),
  commands: (session) => {
    const open = (): void => session.layout.getState().actions.setPanel('endpoints');
    return [
      {
        id: 'endpoints.add',
        title: STRINGS.commands.add,
        keywords: STRINGS.commands.keywords.add,
        run: open,
      },
      ...(session.endpoints.getState().endpoints ?? []).map(({ id, name }) => ({
        id: `endpoints.test.${id}`,
        title: STRINGS.commands.test(name),
        keywords: STRINGS.commands.keywords.test,
        group: 'boxes' as const,
        run: () => {
          open();
          session.endpoints.getState().actions.select(id);
          void testEndpoint(session, id);
        },
      })),
    ];
  },
};
