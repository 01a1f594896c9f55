import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { BoxMenu } from './box-menu';
import { BudgetWidget } from './budget-widget';
import { STRINGS } from './strings';
import { ThemeMenu } from './theme-menu';
import styles from './title-bar.module.css';

function EngineState(): ReactNode {
  const { engine } = useSession();
  const status = useStore(engine, (state) => state.status);
  const info = useStore(engine, (state) => state.info);
  const hint =
    'reason' in status
      ? status.reason
      : info &&
        `Sluice ${info.version}, ONNX Runtime ${info.runtimeVersion}, ${info.instructionSet}, ${info.threads} threads`;
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
        <kbd>{isMac ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <ThemeMenu />
    </header>
  );
}
