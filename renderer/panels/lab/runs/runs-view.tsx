import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';

import type { LabRunRow } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, EmptyState } from '../../../ui';
import { ColumnChooser } from './column-chooser';
import { columnsOf } from './columns';
import { removeRuns, startExample, stoppable, stopRuns } from './run-actions';
import { RunTable } from './run-table';
import { loggedNames, textParams } from './run-values';
import { RunsBar } from './runs-bar';
import { RunsFoot } from './runs-foot';
import type { Asking } from './runs-foot';
import { RunsOver } from './runs-over';
import styles from './runs-view.module.css';
import { useQuery } from './use-query';
import { useTableItems } from './use-table-items';
import type { FilterKind } from './use-table-items';

const STRINGS = strings.lab.runs;

const NO_ROWS: readonly LabRunRow[] = [];

/** Teaches where there is no run yet. */
function NoRuns(): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const [isBusy, setIsBusy] = useState(false);
  const example = async (): Promise<void> => {
    setIsBusy(true);
    await startExample(session);
    setIsBusy(false);
  };
  return (
    <EmptyState
      title={STRINGS.emptyTitle}
      action={
        <div className={styles['ways']}>
          <Button variant="primary" disabled={!live || isBusy} onClick={() => void example()}>
            {STRINGS.example}
          </Button>
          <Button disabled={!live} onClick={() => session.lab.getState().actions.open({ kind: 'launch' })}>
            {STRINGS.launch}
          </Button>
        </div>
      }
    >
      {STRINGS.empty}
    </EmptyState>
  );
}

/** All runs of the lab; what is opened lies over them, so that the table stands as it was afterwards. */
export function RunsView(): ReactNode {
  const { lab } = useSession();
  const over = useStore(lab, (state) => state.over);
  const isEmpty = useStore(lab, (state) => state.rows?.length === 0);
  const view = useRef<HTMLDivElement>(null);
  const wasOver = useRef(false);
  useEffect(() => {
    // Back in the table, keys go on from the line that was opened.
    if (wasOver.current && over === undefined)
      view.current?.querySelector<HTMLElement>('[data-testid=run-table]')?.focus();
    wasOver.current = over !== undefined;
  }, [over]);
  return (
    <div ref={view} className={styles['view']}>
      <div className={styles['main']} inert={over !== undefined}>
        {isEmpty ? <NoRuns /> : <Runs />}
      </div>
      {over !== undefined && (
        <div className={styles['over']}>
          <RunsOver over={over} />
        </div>
      )}
    </div>
  );
}

/** What the user is doing with the table. */
function useRuns() {
  const session = useSession();
  const { lab } = session;
  const rows = useStore(lab, (state) => state.rows) ?? NO_ROWS;
  const layout = useStore(lab, (state) => state.table);
  const chosen = useStore(lab, (state) => state.chosen);
  const [kind, setKind] = useState<FilterKind>('words');
  const [filter, setFilter] = useState('');
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [active, setActive] = useState<string>();
  const [asking, setAsking] = useState<Asking>();
  const query = useQuery(kind === 'query' ? filter.trim() : '');
  // A text, so that the columns stay the same objects while runs change.
  const texts = JSON.stringify(textParams(rows, layout.columns));
  const columns = useMemo(() => columnsOf(layout, new Set(JSON.parse(texts) as string[])), [layout, texts]);
  const words = kind === 'words' ? filter : '';
  const { matching, items } = useTableItems({ rows, layout, words, ids: query.ids, closed });
  const chosenRows = useMemo(
    () => (chosen.size === 0 ? NO_ROWS : rows.filter(({ runId }) => chosen.has(runId))),
    [rows, chosen],
  );
  const fold = useCallback((group: string, isOpen: boolean): void => {
    setClosed((old) => {
      const next = new Set(old);
      if (isOpen) next.delete(group);
      else next.add(group);
      return next;
    });
  }, []);
  /** Those that are chosen, or else the one that keys act on. */
  const meant = (): readonly LabRunRow[] =>
    chosenRows.length > 0 ? chosenRows : rows.filter(({ runId }) => runId === active);
  const ask = (what: Asking['kind']): void => {
    const concerned = what === 'stop' ? stoppable(meant()) : meant();
    if (concerned.length > 0) setAsking({ kind: what, rows: concerned });
  };
  const answer = (isYes: boolean): void => {
    if (isYes && asking?.kind === 'stop') void stopRuns(session, asking.rows);
    if (isYes && asking?.kind === 'remove') void removeRuns(session, asking.rows);
    setAsking(undefined);
  };
  return {
    ...{ session, rows, layout, chosen, chosenRows, kind, setKind, filter, setFilter, query, columns },
    ...{ matching, items, active, setActive, asking, ask, answer, fold },
  };
}

type Runs_ = ReturnType<typeof useRuns>;

/** Keys of the table beyond those that move. */
function onViewKey(event: KeyboardEvent<HTMLElement>, runs: Runs_, focusFilter: () => void): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, select, textarea') !== null)
    return;
  const { open } = runs.session.lab.getState().actions;
  const isRun = runs.rows.some(({ runId }) => runId === runs.active);
  const keys: Readonly<Record<string, () => void>> = {
    '/': focusFilter,
    c: () => {
      if (runs.chosen.size > 1) open({ kind: 'compare' });
    },
    f: () => {
      if (isRun && runs.active !== undefined) open({ kind: 'run', runId: runs.active, isForking: true });
    },
    s: () => runs.ask('stop'),
    n: () => open({ kind: 'launch' }),
    Delete: () => runs.ask('remove'),
  };
  const act = keys[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

function Runs(): ReactNode {
  const runs = useRuns();
  const { session, layout } = runs;
  const { actions } = session.lab.getState();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const grid = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [isChoosing, setIsChoosing] = useState(false);
  const names = useMemo(() => loggedNames(runs.rows), [runs.rows]);
  return (
    <div
      className={styles['view']}
      onKeyDown={(event) => onViewKey(event, runs, () => field.current?.focus())}
    >
      <div className={styles['main']}>
        <RunsBar
          field={field}
          kind={runs.kind}
          filter={runs.filter}
          fault={runs.query.fault}
          group={layout.group}
          params={names.params}
          isChoosing={isChoosing}
          onKind={runs.setKind}
          onFilter={runs.setFilter}
          onLeave={() => grid.current?.focus()}
          onGroup={(group) => actions.setTable({ group })}
          onColumns={() => setIsChoosing((old) => !old)}
          onLaunch={() => actions.open({ kind: 'launch' })}
        />
        <RunTable
          grid={grid}
          items={runs.items}
          columns={runs.columns}
          order={layout.sort}
          group={layout.group}
          chosen={runs.chosen}
          active={runs.active}
          onActive={runs.setActive}
          onChoose={actions.choose}
          onOpen={({ runId }) => actions.open({ kind: 'run', runId })}
          onFold={runs.fold}
          onOrder={(sort) => actions.setTable({ sort })}
          onWidth={(key, widthPx) => actions.setTable({ widths: { ...layout.widths, [key]: widthPx } })}
        />
        {runs.matching.length === 0 && (
          <p className={styles['none']}>
            {STRINGS.noneMatch}
            <Button variant="ghost" onClick={() => runs.setFilter('')}>
              {STRINGS.clearFilter}
            </Button>
          </p>
        )}
        <RunsFoot
          shown={runs.matching.length}
          all={runs.rows.length}
          chosen={runs.chosenRows}
          asking={runs.asking}
          disabled={!live}
          onAsk={runs.ask}
          onAnswer={(isYes) => {
            runs.answer(isYes);
            grid.current?.focus();
          }}
          onCompare={() => actions.open({ kind: 'compare' })}
          onClear={() => actions.choose(new Set())}
        />
      </div>
      {isChoosing && (
        <ColumnChooser
          layout={layout}
          names={names}
          onLayout={actions.setTable}
          onClose={() => {
            setIsChoosing(false);
            grid.current?.focus();
          }}
        />
      )}
    </div>
  );
}
