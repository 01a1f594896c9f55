import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { strings } from '../strings';
import { BoxMenu } from './box-menu';
import { BudgetWidget } from './budget-widget';
import { ThemeMenu } from './theme-menu';
import styles from './title-bar.module.css';

const STRINGS = strings.app;

function EngineState(): ReactNode {
  const { engine } = useSession();
  const status = useStore(engine, (state) => state.status);
  const info = useStore(engine, (state) => state.info);
  const hint =
    'reason' in status
      ? status.reason
      : info && STRINGS.about(info.version, info.runtimeVersion, info.instructionSet, info.threads);
  return (
    <span
      role="status"
      className={styles['engine']}
      data-testid="engine-status"
      data-state={status.state}
      title={hint ?? undefined}
    >
      <i aria-hidden="true" />
      {STRINGS.engine[status.state]}
    </span>
  );
}

function LogOut(): ReactNode {
  const { logOut } = useSession().host;
  if (logOut === undefined) return null;
  return (
    <button type="button" className={styles['logOut']} onClick={() => void logOut()}>
      {strings.login.logOut}
    </button>
  );
}

export function TitleBar({ onOpenPalette }: { readonly onOpenPalette: () => void }): ReactNode {
  const { fleet } = useSession();
  const shown = useStore(fleet, (state) => state.shown);
  const isMac = navigator.platform.startsWith('Mac');
  return (
    <header className={styles['bar']}>
      <h1 className={styles['name']}>{STRINGS.product}</h1>
      <BoxMenu />
      <BudgetWidget key={shown} />
      <span className={styles['space']} />
      <EngineState />
      <button
        type="button"
        className={styles['palette']}
        onClick={onOpenPalette}
        aria-keyshortcuts="Control+K Meta+K"
      >
        {STRINGS.palette}
        <kbd>{isMac ? STRINGS.paletteKeys.mac : STRINGS.paletteKeys.other}</kbd>
      </button>
      <ThemeMenu />
      <LogOut />
    </header>
  );
}
