import { Dialog } from '@base-ui/react/dialog';
import { useId, useMemo, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';

import { PANELS } from '../panels';
import type { Command } from '../panels';
import { showBox, useSession } from '../session';
import type { Session } from '../session';
import { THEMES } from '../stores';
import { strings } from '../strings';
import styles from './command-palette.module.css';

const STRINGS = strings.app;
const { fleet } = strings;

/** Of the session with a host: a window has none. */
function sessionCommands({ host: { logOut } }: Session): readonly Command[] {
  if (logOut === undefined) return [];
  const { logOut: title, logOutWords: keywords } = strings.login;
  return [{ id: 'session.logOut', title, keywords, run: () => void logOut() }];
}

/** The ways to other boxes than the one in view. */
function boxCommands({ home }: Session): readonly Command[] {
  const { shown, boxes } = home.fleet.getState();
  const { switchTo, thisMachine, keywords } = fleet.menu;
  const others = [...(boxes?.values() ?? [])].filter(({ id }) => id !== shown);
  return [
    ...(shown === undefined
      ? []
      : [{ id: 'box', title: switchTo(thisMachine), keywords, run: () => showBox(home, undefined) }]),
    ...others.map(({ id, name, url }) => ({
      id: `box.${id}`,
      title: switchTo(name),
      keywords: `${keywords} ${url}`,
      run: () => showBox(home, id),
    })),
  ];
}

function allCommands(session: Session): readonly Command[] {
  const { setPanel } = session.layout.getState().actions;
  const { setTheme } = session.home.layout.getState().actions;
  const { updates } = session.host;
  return [
    ...PANELS.map(({ id, title }) => ({
      id: `open.${id}`,
      title: STRINGS.goTo(title),
      run: () => setPanel(id),
    })),
    ...boxCommands(session),
    ...PANELS.flatMap(({ commands }) => commands?.(session) ?? []),
    ...(updates === undefined
      ? []
      : [
          {
            id: 'updates.check',
            title: strings.updates.check,
            keywords: strings.updates.keywords,
            run: () => void updates.check(),
          },
        ]),
    ...THEMES.map((theme) => ({
      id: `theme.${theme}`,
      title: `${STRINGS.theme}: ${STRINGS.themes[theme]}`,
      run: () => setTheme(theme),
    })),
    ...sessionCommands(session),
  ];
}

/** Commands whose title and keywords hold every word typed. */
export function matchCommands(commands: readonly Command[], query: string): readonly Command[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter((command) => {
    const text = `${command.title} ${command.keywords ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function PaletteBody({ onClose }: { readonly onClose: () => void }): ReactNode {
  const session = useSession();
  const listId = useId();
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const commands = useMemo(() => allCommands(session), [session]);
  const matches = matchCommands(commands, query);
  const current = Math.min(active, matches.length - 1);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && matches.length > 0) {
      event.preventDefault();
      setActive((current + step + matches.length) % matches.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(matches[current]);
    }
  };
  return (
    <>
      <input
        role="combobox"
        aria-label={STRINGS.paletteHint}
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={matches.length > 0 ? `${listId}-${current}` : undefined}
        className={styles['input']}
        placeholder={STRINGS.paletteHint}
        value={query}
        onChange={(event) => {
          setQuery(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKey}
      />
      <div id={listId} role="listbox" aria-label={STRINGS.palette} className={styles['list']}>
        {matches.map((command, index) => (
          <div
            key={command.id}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === current}
            className={styles['option']}
            ref={index === current ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined}
            onMouseMove={() => setActive(index)}
            onClick={() => run(command)}
          >
            {command.title}
          </div>
        ))}
      </div>
      {matches.length === 0 && <p className={styles['none']}>{STRINGS.paletteEmpty}</p>}
    </>
  );
}

interface CommandPaletteProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}

/** Every command by name, under Ctrl-K or Cmd-K. */
export function CommandPalette({ open, onOpenChange }: CommandPaletteProps): ReactNode {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles['backdrop']} />
        <Dialog.Popup className={styles['popup']} aria-label={STRINGS.palette}>
          <PaletteBody onClose={() => onOpenChange(false)} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
