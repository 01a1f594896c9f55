import { useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabRunRow } from '../../../../core/contract';
import { formatCount } from '../../../format';
import { SaveReport } from '../../../report';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, Segmented } from '../../../ui';
import { runToken } from '../charts';
import { stateText } from '../runs/state-mark';
import styles from './compare.module.css';
import { ComparedParallel } from './compared-parallel';
import { ComparedPlots } from './compared-plots';
import { DifferencesTable } from './differences-table';

const STRINGS = strings.lab.compare;

/** As many as the lab gives points of at once. */
const MOST_PLOTTED = 100;
/** What a page is wide enough for. */
const MOST_REPORTED = 12;
const NO_ROWS: readonly LabRunRow[] = [];

type Part = keyof typeof STRINGS.part;
const PARTS = Object.entries(STRINGS.part).map(([value, label]) => ({ value: value as Part, label }));

interface LegendProps {
  readonly rows: readonly LabRunRow[];
  readonly hidden: ReadonlySet<string>;
  readonly onHidden: (hidden: ReadonlySet<string>) => void;
}

/** The runs in their colours; a click draws them or not. */
function Legend({ rows, hidden, onHidden }: LegendProps): ReactNode {
  const { lab } = useSession();
  const toggle = (id: string): void => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    onHidden(next);
  };
  return (
    <aside className={styles['legend']} aria-label={STRINGS.legend} tabIndex={0}>
      <header>
        <Button variant="ghost" onClick={() => onHidden(new Set())}>
          {STRINGS.all}
        </Button>
        <Button variant="ghost" onClick={() => onHidden(new Set(rows.map(({ runId }) => runId)))}>
          {STRINGS.none}
        </Button>
      </header>
      <ul>
        {rows.map(({ runId, name, ...row }, index) => (
          <li key={runId} data-hidden={hidden.has(runId)}>
            <label title={STRINGS.toggle(name)}>
              <input
                type="checkbox"
                aria-label={STRINGS.toggle(name)}
                checked={!hidden.has(runId)}
                onChange={() => toggle(runId)}
              />
              <i aria-hidden="true" style={{ background: `var(${runToken(index)})` }} />
            </label>
            <button
              type="button"
              title={STRINGS.openRun(name, stateText(row))}
              onClick={() => lab.getState().actions.open({ kind: 'run', runId })}
            >
              {name}
            </button>
          </li>
        ))}
      </ul>
    </aside>
  );
}

/** The chosen runs, in the order of the table's newest first; the same objects while none of them changed. */
function useChosenRows(): readonly LabRunRow[] {
  const { lab } = useSession();
  const rows = useStore(lab, (state) => state.rows) ?? NO_ROWS;
  const chosen = useStore(lab, (state) => state.chosen);
  const now = useMemo(() => rows.filter(({ runId }) => chosen.has(runId)), [rows, chosen]);
  const [kept, setKept] = useState(now);
  const isSame = kept.length === now.length && kept.every((row, index) => row === now[index]);
  if (!isSame) setKept(now);
  return isSame ? kept : now;
}

/** The chosen runs beside each other. Escape goes back. */
export function CompareView({ onBack }: { readonly onBack: () => void }): ReactNode {
  const rows = useChosenRows();
  const [part, setPart] = useState<Part>('plots');
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const page = useRef<HTMLElement>(null);
  useEffect(() => page.current?.focus(), []);
  const plotted = useMemo(() => rows.slice(0, MOST_PLOTTED), [rows]);
  return (
    <article
      ref={page}
      tabIndex={-1}
      className={styles['compare']}
      aria-label={STRINGS.title(formatCount(rows.length))}
      data-testid="compare"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) onBack();
      }}
    >
      <header className={styles['head']}>
        <Button variant="ghost" title={STRINGS.backHint} onClick={onBack}>
          ‹ {STRINGS.back}
        </Button>
        <h2>{STRINGS.title(formatCount(rows.length))}</h2>
        {rows.length >= 2 && rows.length <= MOST_REPORTED && (
          <SaveReport what={{ kind: 'labRuns', runs: rows.map(({ runId }) => runId) }} />
        )}
        <div className={styles['parts']}>
          <Segmented label={STRINGS.parts} value={part} options={PARTS} onChange={setPart} />
        </div>
      </header>
      {rows.length < 2 && <p className={styles['none']}>{STRINGS.gone}</p>}
      <div className={styles['body']}>
        {part === 'plots' && <Legend rows={plotted} hidden={hidden} onHidden={setHidden} />}
        <div className={styles['work']}>
          {part === 'plots' && rows.length > MOST_PLOTTED && (
            <p className={styles['none']}>
              {STRINGS.tooMany(formatCount(MOST_PLOTTED), formatCount(rows.length))}
            </p>
          )}
          {part === 'plots' && <ComparedPlots rows={plotted} hidden={hidden} />}
          {part === 'differences' && <DifferencesTable rows={rows} />}
          {part === 'parallel' && <ComparedParallel rows={rows} />}
        </div>
      </div>
    </article>
  );
}
