import { Menu } from '@base-ui/react/menu';
import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { FleetBox } from '../../core/contract';
import { showBox, useSession } from '../session';
import type { Session } from '../session';
import { strings } from '../strings';
import { MENU } from './menu';
import styles from './box-menu.module.css';

const { fleet } = strings;

const WORDS = fleet.menu;
const ITEM = `${MENU.item} ${styles['item']}`;
/** Value of this machine in the menu; ids of boxes are never empty. */
const HERE = '';

/** What this machine is called: in a browser it is the one that serves the page. */
function useHomeName(home: Session): string {
  const device = useStore(home.engine, (state) => state.device);
  return home.host.kind === 'browser' ? (device?.hostname ?? window.location.host) : WORDS.thisMachine;
}

function byName(boxes: ReadonlyMap<string, FleetBox> | undefined): readonly FleetBox[] {
  return [...(boxes?.values() ?? [])].sort((a, b) =>
    a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
}

/** The list itself, in the document while the menu is open only: boxes change four times a second. */
function BoxList(): ReactNode {
  const { home } = useSession();
  const homeName = useHomeName(home);
  const shown = useStore(home.fleet, (state) => state.shown);
  const boxes = useStore(home.fleet, (state) => state.boxes);
  const removing = useStore(home.fleet, (state) => state.removing?.id);
  const items = useMemo(() => byName(boxes).filter(({ id }) => id !== removing), [boxes, removing]);
  return (
    <>
      <Menu.RadioGroup
        value={shown ?? HERE}
        onValueChange={(value: string) => showBox(home, value === HERE ? undefined : value)}
      >
        <Menu.RadioItem value={HERE} className={ITEM} closeOnClick>
          <i aria-hidden="true" data-state="here" />
          <span>{homeName}</span>
          {homeName !== WORDS.thisMachine && <em>{WORDS.thisMachine}</em>}
        </Menu.RadioItem>
        {items.length > 0 && <Menu.Separator className={styles['line']} />}
        {items.map(({ id, name, state }) => (
          <Menu.RadioItem key={id} value={id} className={ITEM} closeOnClick>
            <i aria-hidden="true" data-state={state} />
            <span>{name}</span>
            {state !== 'online' && <em>{fleet.states[state]}</em>}
          </Menu.RadioItem>
        ))}
      </Menu.RadioGroup>
      <Menu.Separator className={styles['line']} />
      <Menu.Item className={ITEM} onClick={() => goToFleet(home)}>
        <i aria-hidden="true" />
        <span>{WORDS.fleet}</span>
      </Menu.Item>
    </>
  );
}

function goToFleet(home: Session): void {
  const session = home.boxes.get(home.fleet.getState().shown) ?? home;
  session.layout.getState().actions.setPanel('fleet');
}

/** Which box all panels show, and the way to another. */
export function BoxMenu(): ReactNode {
  const session = useSession();
  const { home } = session;
  const homeName = useHomeName(home);
  const device = useStore(session.engine, (state) => state.device);
  const shownName = useStore(home.fleet, ({ shown, boxes }) =>
    shown === undefined ? undefined : boxes?.get(shown)?.name,
  );
  const name = shownName ?? homeName;
  const isOther = shownName !== undefined;
  return (
    <>
      <Menu.Root>
        <Menu.Trigger
          className={`${MENU.trigger} ${styles['trigger']}`}
          aria-label={`${WORDS.label}: ${name}`}
          title={device && `${device.hostname}, ${device.cpu}, ${device.os}`}
          data-testid="box-menu"
          data-box={shownName}
          data-other={isOther}
        >
          <span className={styles['prefix']}>{WORDS.prefix}</span>
          <span className={styles['name']}>{name}</span>
          <i aria-hidden="true">▾</i>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner sideOffset={4} align="start">
            <Menu.Popup className={`${MENU.popup} ${styles['popup']}`}>
              <BoxList />
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <span role="status" className={styles['announce']}>
        {isOther && WORDS.announce(name)}
      </span>
    </>
  );
}
