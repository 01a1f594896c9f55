import { PANELS } from '../panels';
import type { Command } from '../panels';
import { showBox } from '../session';
import type { Session } from '../session';
import { THEMES } from '../stores';
import { strings } from '../strings';
import { startTour } from '../tour';
import { buttonCommands } from './button-commands';
import { removalCommands } from './removal-commands';

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

/** The ways to other boxes than the one in view. */
function boxCommands({ home }: Session): readonly Command[] {
  const { shown, boxes } = home.fleet.getState();
  const { switchTo, thisMachine, keywords } = strings.fleet.menu;
  const others = [...(boxes?.values() ?? [])].filter(({ id }) => id !== shown);
  const back: Command = {
    id: 'box',
    title: switchTo(thisMachine),
    keywords,
    group: 'go',
    run: () => showBox(home, undefined),
  };
  return [
    ...(shown === undefined ? [] : [back]),
    ...others.map(({ id, name, url }) => ({
      id: `box.${id}`,
      title: switchTo(name),
      keywords: `${keywords} ${url}`,
      group: 'go' as const,
      run: () => showBox(home, id),
    })),
  ];
}

/** What only a window, or only a browser, can do. */
function hostCommands({ host: { logOut, updates } }: Session): readonly Command[] {
  const { login, updates: words } = strings;
  const check: Command = {
    id: 'updates.check',
    title: words.check,
    keywords: words.keywords,
    run: () => void updates?.check(),
  };
  const leave: Command = {
    id: 'session.logOut',
    title: login.logOut,
    keywords: login.logOutWords,
    run: () => void logOut?.(),
  };
  return [...(updates === undefined ? [] : [check]), ...(logOut === undefined ? [] : [leave])];
}

/** Everything that can be done and gone to, as things stand. */
export function allCommands(session: Session, actions: FrameActions): readonly Command[] {
  const { setPanel } = session.layout.getState().actions;
  const { setTheme } = session.home.layout.getState().actions;
  return [
    ...PANELS.flatMap(({ commands }) => commands?.(session) ?? []),
    ...PANELS.map(({ id, title }, index) => ({
      id: `open.${id}`,
      title: STRINGS.goTo(title),
      group: 'go' as const,
      shortcut: String(index + 1),
      run: () => setPanel(id),
    })),
    ...buttonCommands(document),
    ...removalCommands(session),
    ...boxCommands(session),
    ...frameCommands(session, actions),
    ...hostCommands(session),
    ...THEMES.map((theme) => ({
      id: `theme.${theme}`,
      title: `${STRINGS.theme}: ${STRINGS.themes[theme]}`,
      group: 'view' as const,
      run: () => setTheme(theme),
    })),
    ...helpCommands(actions),
  ];
}
