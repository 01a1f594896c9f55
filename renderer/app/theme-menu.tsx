import { Menu } from '@base-ui/react/menu';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { THEMES } from '../stores';
import type { Theme } from '../stores';
import { strings } from '../strings';
import { ThemeIcon } from '../ui';
import { MENU } from './menu';
import styles from './theme-menu.module.css';

const STRINGS = strings.app;

export function ThemeMenu(): ReactNode {
  const { layout } = useSession().home;
  const theme = useStore(layout, (state) => state.theme);
  return (
    <Menu.Root>
      <Menu.Trigger
        className={`${MENU.trigger} ${styles['trigger']}`}
        aria-label={STRINGS.theme}
        title={STRINGS.theme}
      >
        <ThemeIcon />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={4} align="end">
          <Menu.Popup className={MENU.popup}>
            <Menu.RadioGroup
              value={theme}
              onValueChange={(value: Theme) => layout.getState().actions.setTheme(value)}
            >
              {THEMES.map((value) => (
                <Menu.RadioItem
                  key={value}
                  value={value}
                  className={`${MENU.item} ${styles['item']}`}
                  closeOnClick
                >
                  {STRINGS.themes[value]}
                  <Menu.RadioItemIndicator>✓</Menu.RadioItemIndicator>
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
