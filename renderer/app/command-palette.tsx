import { useId, useMemo, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';

import type { Command } from '../panels';
import { useSession } from '../session';
import { strings } from '../strings';
import { allCommands } from './all-commands';
import type { FrameActions } from './all-commands';
import { Overlay } from './overlay';
import styles from './command-palette.module.css';
import { groupCommands, matchCommands } from './match-commands';

const STRINGS = strings.app;
const NONE: readonly string[] = [];

interface OptionProps {
  readonly id: string;
  readonly command: Command;
  readonly isActive: boolean;
  readonly onActive: () => void;
  readonly onRun: () => void;
}

function Option({ id, command, isActive, onActive, onRun }: OptionProps): ReactNode {
  return (
    <div
      id={id}
      role="option"
      aria-selected={isActive}
      aria-disabled={command.disabled !== undefined}
      data-command={command.id}
      className={styles['option']}
      ref={isActive ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined}
      onMouseMove={onActive}
      onClick={onRun}
    >
      <span className={styles['name']}>{command.title}</span>
      {command.disabled !== undefined && <small>{command.disabled}</small>}
      {command.shortcut !== undefined && <kbd>{command.shortcut}</kbd>}
    </div>
  );
}

function PaletteBody({
  actions,
  onClose,
}: {
  readonly actions: FrameActions;
  readonly onClose: () => void;
}): ReactNode {
  const session = useSession();
  const listId = useId();
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const recent = useStore(session.layout, (state) => state.recentCommands) ?? NONE;
  const commands = useMemo(() => allCommands(session, actions), [session, actions]);
  const groups = useMemo(() => {
    const isSearch = query.trim() !== '';
    // Help has a text a figure: too much to scroll through, found by typing.
    const offered = isSearch ? commands : commands.filter(({ id }) => !id.startsWith('help.'));
    return groupCommands(matchCommands(offered, query), isSearch ? NONE : recent);
  }, [commands, query, recent]);
  const matches = groups.flatMap((group) => group.commands);
  const current = Math.max(0, Math.min(active, matches.length - 1));
  const run = (command: Command | undefined): void => {
    if (command === undefined || command.disabled !== undefined) return;
    session.layout.getState().actions.ranCommand(command.id);
    onClose();
    command.run();
  };
  const onKey = (event: KeyboardEvent): void => {
    const last = matches.length - 1;
    const to = {
      ArrowDown: current === last ? 0 : current + 1,
      ArrowUp: current === 0 ? last : current - 1,
      PageDown: Math.min(last, current + 10),
      PageUp: Math.max(0, current - 10),
    }[event.key];
    if (to !== undefined && matches.length > 0) {
      event.preventDefault();
      setActive(to);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(matches[current]);
    }
  };
  return (
    <>
      <input
        // At once: what is typed right after Ctrl-K belongs here.
        autoFocus
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
      <div id={listId} role="listbox" tabIndex={-1} aria-label={STRINGS.palette} className={styles['list']}>
        {groups.map(({ head, commands: members }) => (
          <div key={head} role="group" aria-label={strings.palette.groups[head]}>
            <div aria-hidden="true" className={styles['head']}>
              {strings.palette.groups[head]}
            </div>
            {members.map((command) => {
              const index = matches.indexOf(command);
              return (
                <Option
                  key={command.id}
                  id={`${listId}-${index}`}
                  command={command}
                  isActive={index === current}
                  onActive={() => setActive(index)}
                  onRun={() => run(command)}
                />
              );
            })}
          </div>
        ))}
      </div>
      {matches.length === 0 && (
        <p role="status" className={styles['none']}>
          {STRINGS.paletteEmpty}
        </p>
      )}
    </>
  );
}

interface CommandPaletteProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly actions: FrameActions;
}

/** Every command by name, under Ctrl-K or Cmd-K. */
export function CommandPalette({ open, onOpenChange, actions }: CommandPaletteProps): ReactNode {
  return (
    <Overlay open={open} onOpenChange={onOpenChange} label={STRINGS.palette} className={styles['popup']}>
      <PaletteBody actions={actions} onClose={() => onOpenChange(false)} />
    </Overlay>
  );
}
