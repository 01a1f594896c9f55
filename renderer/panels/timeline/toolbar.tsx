import type { ReactNode } from 'react';

import type { RunRecord } from '../../../core/contract';
import type { Timeline } from '../../timeline-engine';
import { Button } from '../../ui';
import { runLabel } from './run-label';
import { STRINGS } from './strings';
import styles from './timeline-panel.module.css';

interface ToolbarProps {
  readonly runs: readonly RunRecord[];
  readonly runId: string;
  readonly compareId: string | undefined;
  readonly timeline: Timeline | undefined;
  readonly live: boolean;
  readonly hasWaits: boolean;
  readonly running: boolean;
  readonly exporting: boolean;
  readonly onChoose: (runId: string) => void;
  readonly onCompare: (runId: string | undefined) => void;
  readonly onReload: () => void;
  readonly onExport: () => void;
}

const ZOOM_FACTOR = 1.6;

/** Which runs, how much of them, and the way out to other tools. */
export function Toolbar(props: ToolbarProps): ReactNode {
  const { timeline } = props;
  const others = props.runs.filter(({ id }) => id !== props.runId);
  return (
    <div className={styles['toolbar']} role="toolbar" aria-label={STRINGS.title}>
      <RunChoice label={STRINGS.run} value={props.runId} runs={props.runs} onChange={props.onChoose} />
      <RunChoice
        label={STRINGS.compare}
        value={props.compareId ?? ''}
        runs={others}
        none={STRINGS.compareNone}
        onChange={(id) => props.onCompare(id === '' ? undefined : id)}
      />
      {props.running && (
        <Button title={STRINGS.reloadHint} disabled={!props.live} onClick={props.onReload}>
          {STRINGS.reload}
        </Button>
      )}
      <span className={styles['gap']} />
      <div className={styles['group']}>
        <Button
          aria-label={STRINGS.zoomOut}
          title={`${STRINGS.zoomOut} (S)`}
          onClick={() => timeline?.zoomBy(1 / ZOOM_FACTOR)}
        >
          −
        </Button>
        <Button title={`${STRINGS.fit} (F)`} onClick={() => timeline?.fit()}>
          {STRINGS.fit}
        </Button>
        <Button
          aria-label={STRINGS.zoomIn}
          title={`${STRINGS.zoomIn} (W)`}
          onClick={() => timeline?.zoomBy(ZOOM_FACTOR)}
        >
          +
        </Button>
      </div>
      <Button
        title={`${STRINGS.nextWait} (N)`}
        disabled={!props.hasWaits}
        onClick={() => timeline?.selectNextWait()}
      >
        {STRINGS.nextWait}
      </Button>
      <Button title={STRINGS.exportHint} disabled={!props.live || props.exporting} onClick={props.onExport}>
        {props.exporting ? STRINGS.exporting : STRINGS.export}
      </Button>
    </div>
  );
}

function RunChoice(props: {
  readonly label: string;
  readonly value: string;
  readonly runs: readonly RunRecord[];
  readonly none?: string;
  readonly onChange: (id: string) => void;
}): ReactNode {
  return (
    <label className={styles['choice']}>
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
        {props.none !== undefined && <option value="">{props.none}</option>}
        {props.runs.map((run) => (
          <option key={run.id} value={run.id}>
            {runLabel(run)}
          </option>
        ))}
      </select>
    </label>
  );
}
