import { useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button } from '../../ui';
import styles from './lab-panel.module.css';
import type { LabViewDefinition } from './views';

const STRINGS = strings.lab.frame;

export function tabId(view: string): string {
  return `lab-tab-${view}`;
}

/** Where programs log to, and who we are there; a click copies the address. */
function Where(): ReactNode {
  const { lab } = useSession();
  const status = useStore(lab, (state) => state.status);
  const [copied, setCopied] = useState(false);
  if (status?.state !== 'ready' || status.url === undefined) return null;
  const { url, user } = status;
  const copy = (): void => {
    // Absent on pages served over plain http from another machine.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    clipboard?.writeText(url).then(
      () => setCopied(true),
      () => undefined, // refused by the browser: the address stands in the button
    );
  };
  return (
    <Button
      variant="ghost"
      className={styles['where']}
      title={STRINGS.copyUrl(url)}
      onClick={copy}
      onBlur={() => setCopied(false)}
    >
      {copied ? STRINGS.copied : STRINGS.at(url, user)}
    </Button>
  );
}

interface ViewTabsProps {
  readonly views: readonly LabViewDefinition[];
  readonly shown: string;
}

/** Arrows move between the tabs and show their views. */
export function ViewTabs({ views, shown }: ViewTabsProps): ReactNode {
  const { lab } = useSession();
  const show = (id: string | undefined): void => {
    if (id === undefined) return;
    const { actions } = lab.getState();
    actions.open(undefined);
    actions.show(id);
  };
  const onKey = (event: KeyboardEvent<HTMLElement>): void => {
    const at = views.findIndex(({ id }) => id === shown);
    const to = {
      ArrowRight: (at + 1) % views.length,
      ArrowLeft: (at - 1 + views.length) % views.length,
      Home: 0,
      End: views.length - 1,
    }[event.key];
    const view = to === undefined ? undefined : views[to];
    if (view === undefined) return;
    event.preventDefault();
    show(view.id);
    document.getElementById(tabId(view.id))?.focus();
  };
  return (
    <div className={styles['bar']}>
      <div role="tablist" aria-label={STRINGS.views} className={styles['tabs']} onKeyDown={onKey}>
        {views.map(({ id, title }) => (
          <button
            key={id}
            id={tabId(id)}
            type="button"
            role="tab"
            aria-selected={id === shown}
            aria-controls={id === shown ? `lab-view-${id}` : undefined}
            tabIndex={id === shown ? 0 : -1}
            className={styles['tab']}
            data-label={title}
            onClick={() => show(id)}
          >
            {title}
          </button>
        ))}
      </div>
      <Where />
    </div>
  );
}
