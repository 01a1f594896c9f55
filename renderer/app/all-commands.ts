import { PANELS } from '../panels';
import type { Command } from '../panels';
import type { Session } from '../session';
import { THEMES } from '../stores';
import { strings } from '../strings';
import { startTour } from '../tour';

const STRINGS = strings.app;
const WORDS = strings.palette;

export interface FrameActions {
  readonly showShortcuts: () => void;
  readonly showHelp: (id: keyof typeof strings.help) => void;
}

/** The frame's own actions. */
function frameCommands(session: Session, actions: FrameActions): readonly Command[] {
  const { layout, engine, client } = session;
  const live = engine.getState().status.state === 'ok';
  return [
    {
      id: 'budget.set',
      title: WORDS.budget,
      keywords: WORDS.budgetKeywords,
      disabled: live ? undefined : WORDS.engineAway,
      // The field opens where the budget always stands.
      run: () => document.querySelector<HTMLElement>('[data-testid="budget"]')?.click(),
    },
    {
      id: 'engine.restart',
      title: WORDS.restart,
      keywords: WORDS.restartKeywords,
      disabled: engine.getState().status.state === 'down' ? undefined : WORDS.running,
      run: client.revive,
    },
    {
      id: 'tour.start',
      title: layout.getState().tour?.state === 'left' ? strings.tour.resume : WORDS.tour,
      keywords: WORDS.tourKeywords,
      group: 'help',
      run: () => startTour(session),
    },
    {
      id: 'shortcuts.show',
      title: WORDS.shortcuts,
      keywords: WORDS.shortcutsKeywords,
      group: 'help',
      shortcut: 'Shift ?',
      run: actions.showShortcuts,
    },
  ];
}

function helpCommands(actions: FrameActions): readonly Command[] {
  return Object.entries(strings.help).map(([id, { name, what }]) => ({
    id: `help.${id}`,
    title: WORDS.showHelp(name),
    keywords: what,
    group: 'help' as const,
    run: () => actions.showHelp(id as keyof typeof strings.help),
  }));
}

/** Everything that can be done and gone to, as things stand. */
export function allCommands(session: Session, actions: FrameActions): readonly Command[] {
  const { setPanel, setTheme } = session.layout.getState().actions;
  return [
    ...PANELS.flatMap(({ commands }) => commands?.(session) ?? []),
    ...PANELS.map(({ id, title }, index) => ({
      id: `open.${id}`,
      title: STRINGS.goTo(title),
      group: 'go' as const,
      shortcut: String(index + 1),
      run: () => setPanel(id),
    })),
    ...frameCommands(session, actions),
    ...THEMES.map((theme) => ({
      id: `theme.${theme}`,
      title: `${STRINGS.theme}: ${STRINGS.themes[theme]}`,
      group: 'view' as const,
      run: () => setTheme(theme),
    })),
    ...helpCommands(actions),
  ];
}
