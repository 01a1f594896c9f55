import type { ReactNode } from 'react';

import type { ReportSubject } from '../../../core/contract';
import { SaveReport } from '../../report';
import { strings } from '../../strings';
import type { Timeline } from '../../timeline-engine';
import { Button } from '../../ui';
import { isRunning, subjectLabel } from './subject';
import type { Subject } from './subject';
import styles from './timeline-panel.module.css';

const STRINGS = strings.timeline;

interface ToolbarProps {
  readonly subjects: readonly Subject[];
  readonly main: Subject;
  readonly compareKey: string | undefined;
  readonly timeline: Timeline | undefined;
  readonly live: boolean;
  readonly hasWaits: boolean;
  readonly exporting: boolean;
  /** What a report would be of: the run, or both that are compared. */
  readonly report: ReportSubject | undefined;
  readonly onChoose: (key: string) => void;
  readonly onCompare: (key: string | undefined) => void;
  /** The lists are about to be looked at. */
  readonly onRefresh: () => void;
  readonly onReload: () => void;
  readonly onExport: () => void;
}

const ZOOM_FACTOR = 1.6;

/** Which runs, how much of them, and the way out to other tools. */
export function Toolbar(props: ToolbarProps): ReactNode {
  const { timeline } = props;
  const { main } = props;
  const isRun = main.kind === 'run';
  const others = props.subjects.filter(({ key, kind }) => key !== main.key && kind === main.kind);
  return (
    <div className={styles['toolbar']} role="toolbar" aria-label={STRINGS.title}>
      <SubjectChoice
        label={isRun ? STRINGS.run : STRINGS.decisionChoice}
        value={main.key}
        subjects={props.subjects}
        onRefresh={props.onRefresh}
        onChange={props.onChoose}
      />
      <SubjectChoice
        label={STRINGS.compare}
        value={props.compareKey ?? ''}
        subjects={others}
        none={STRINGS.compareNone}
        onRefresh={props.onRefresh}
        onChange={(key) => props.onCompare(key === '' ? undefined : key)}
      />
      {isRunning(main) && (
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
        title={`${isRun ? STRINGS.nextWait : STRINGS.nextQueue} (N)`}
        disabled={!props.hasWaits}
        onClick={() => timeline?.selectNextWait()}
      >
        {isRun ? STRINGS.nextWait : STRINGS.nextQueue}
      </Button>
      {isRun && (
        <Button title={STRINGS.exportHint} disabled={!props.live || props.exporting} onClick={props.onExport}>
          {props.exporting ? STRINGS.exporting : STRINGS.export}
        </Button>
      )}
      {props.report !== undefined && (
        // What was saved of others is no news of these.
        <SaveReport key={JSON.stringify(props.report)} what={props.report} />
      )}
    </div>
  );
}

interface SubjectChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly subjects: readonly Subject[];
  readonly none?: string;
  readonly onRefresh: () => void;
  readonly onChange: (key: string) => void;
}

function SubjectChoice(props: SubjectChoiceProps): ReactNode {
  const { subjects } = props;
  const groups = [
    { title: STRINGS.runs, members: subjects.filter(({ kind }) => kind === 'run') },
    { title: STRINGS.decisions, members: subjects.filter(({ kind }) => kind === 'decision') },
  ].filter(({ members }) => members.length > 0);
  return (
    <label className={styles['choice']}>
      <span>{props.label}</span>
      <select
        value={props.value}
        // Before the list opens: one that moved while open could not be chosen from.
        onFocus={props.onRefresh}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      >
        {props.none !== undefined && <option value="">{props.none}</option>}
        {groups.map(({ title, members }) => (
          <optgroup key={title} label={title}>
            {members.map((subject) => (
              <option key={subject.key} value={subject.key}>
                {subjectLabel(subject)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}
