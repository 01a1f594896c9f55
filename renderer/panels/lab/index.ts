import { strings } from '../../strings';
import { LabIcon, lazyView } from '../../ui';
import type { PanelDefinition } from '../panel';
import { LAB_VIEWS } from './views';

const STRINGS = strings.lab.frame;

const WORDS = STRINGS.commands;
/** Runs the palette offers to open. */
const MOST_OFFERED = 20;

export const labPanel: PanelDefinition = {
  id: 'lab',
  title: STRINGS.title,
  Icon: LabIcon,
  view: lazyView(async () => {
    // With its views: going from one to the next is then no wait either.
    const [{ LabPanel }] = await Promise.all([
      import('./lab-panel'),
      ...LAB_VIEWS.map(({ view }) => view.load()),
    ]);
    return LabPanel;
  }),
  commands: (session) => {
    const { rows = [], chosen, actions } = session.lab.getState();
    const command = (id: string, title: string, keywords: string, work: () => void) => ({
      id: `lab.${id}`,
      title,
      keywords,
      run: () => {
        session.layout.getState().actions.setPanel('lab');
        work();
      },
    });
    return [
      ...LAB_VIEWS.map(({ id, title }) =>
        command(`view.${id}`, WORDS.view(title), WORDS.keywords.view, () => {
          actions.open(undefined);
          actions.show(id);
        }),
      ),
      command('launch', WORDS.launch, WORDS.keywords.launch, () => actions.open({ kind: 'launch' })),
      ...(chosen.size < 2
        ? []
        : [
            command('compare', WORDS.compare, WORDS.keywords.compare, () =>
              actions.open({ kind: 'compare' }),
            ),
          ]),
      ...rows.slice(0, MOST_OFFERED).map(({ runId, name }) => ({
        ...command(`open.${runId}`, WORDS.open(name), WORDS.keywords.open, () =>
          actions.open({ kind: 'run', runId }),
        ),
        group: 'runs' as const,
      })),
    ];
  },
};
