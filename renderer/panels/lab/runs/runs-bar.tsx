import { useId } from 'react';
import type { ReactNode, RefObject } from 'react';

import { strings } from '../../../strings';
import { Button, Segmented } from '../../../ui';
import { columnLabel } from './columns';
import styles from './runs-view.module.css';
import type { FilterKind } from './use-table-items';

const STRINGS = strings.lab.runs;

const KINDS = Object.entries(STRINGS.filterKinds).map(([value, words]) => ({
  value: value as FilterKind,
  ...words,
}));
const GROUPS = ['experiment', 'user', 'dataset', 'state', 'parent', 'search'];

interface RunsBarProps {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly kind: FilterKind;
  readonly filter: string;
  readonly fault: string | undefined;
  readonly group: string | undefined;
  /** Parameters by which rows can be grouped, too. */
  readonly params: readonly string[];
  readonly isChoosing: boolean;
  readonly onKind: (kind: FilterKind) => void;
  readonly onFilter: (filter: string) => void;
  /** Enter, Escape or an arrow: on to the table. */
  readonly onLeave: () => void;
  readonly onGroup: (key: string | undefined) => void;
  readonly onColumns: () => void;
  readonly onLaunch: () => void;
}

/** Filter, grouping, columns, and the way to a new run. */
export function RunsBar({ field, ...props }: RunsBarProps): ReactNode {
  const id = useId();
  const { fault } = props;
  return (
    <div className={styles['bar']}>
      <div className={styles['filter']}>
        <input
          ref={field}
          type="search"
          aria-label={STRINGS.filter}
          aria-keyshortcuts="/"
          aria-invalid={fault !== undefined}
          aria-describedby={fault === undefined ? undefined : `${id}-fault`}
          placeholder={props.kind === 'words' ? STRINGS.wordsPlaceholder : STRINGS.queryPlaceholder}
          data-kind={props.kind}
          autoComplete="off"
          spellCheck={false}
          value={props.filter}
          onChange={(event) => props.onFilter(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && props.filter !== '') props.onFilter('');
            else if (!['Escape', 'Enter', 'ArrowDown'].includes(event.key)) return;
            else props.onLeave();
            event.preventDefault();
          }}
        />
        {fault !== undefined && (
          <p id={`${id}-fault`} role="alert" className={styles['fault']}>
            {fault}
          </p>
        )}
      </div>
      <div className={styles['kinds']}>
        <Segmented label={STRINGS.filterBy} value={props.kind} options={KINDS} onChange={props.onKind} />
      </div>
      <label className={styles['group']}>
        <span>{STRINGS.group}</span>
        <select
          value={props.group ?? ''}
          onChange={(event) => props.onGroup(event.currentTarget.value || undefined)}
        >
          <option value="">{STRINGS.noGroup}</option>
          {GROUPS.map((key) => (
            <option key={key} value={key}>
              {columnLabel(key).toLowerCase()}
            </option>
          ))}
          <optgroup label={STRINGS.chooser.kinds.params}>
            {props.params.map((name) => (
              <option key={name} value={`params.${name}`}>
                {name}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      <Button aria-pressed={props.isChoosing} onClick={props.onColumns}>
        {STRINGS.layout}
      </Button>
      <Button className={styles['launch']} aria-keyshortcuts="n" onClick={props.onLaunch}>
        {STRINGS.launch}
      </Button>
    </div>
  );
}
