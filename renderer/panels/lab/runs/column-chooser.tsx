import { useState } from 'react';
import type { ReactNode } from 'react';

import { DEFAULT_TABLE_LAYOUT } from '../../../stores';
import type { LabTableLayout } from '../../../stores';
import { strings } from '../../../strings';
import { Button, Inspector, TextField } from '../../../ui';
import styles from './column-chooser.module.css';
import { columnLabel } from './columns';
import { FIXED_KEYS } from './run-values';
import type { ValueKind } from './run-values';

const STRINGS = strings.lab.runs;

const WORDS = STRINGS.chooser;
type Kind = keyof typeof WORDS.kinds;

interface ColumnChooserProps {
  readonly layout: LabTableLayout;
  readonly names: Readonly<Record<ValueKind, readonly string[]>>;
  readonly onLayout: (part: Partial<LabTableLayout>) => void;
  readonly onClose: () => void;
}

function moved(keys: readonly string[], from: number, by: number): readonly string[] {
  const next = [...keys];
  const [key] = next.splice(from, 1);
  if (key !== undefined) next.splice(from + by, 0, key);
  return next;
}

function Shown({ layout, onLayout }: Pick<ColumnChooserProps, 'layout' | 'onLayout'>): ReactNode {
  const { columns, pinned } = layout;
  return (
    <ol className={styles['shown']}>
      {columns.map((key, index) => {
        const label = columnLabel(key);
        const isPinned = pinned.includes(key);
        return (
          <li key={key}>
            <span title={key}>{label}</span>
            <Button
              variant="ghost"
              aria-label={WORDS.pin(label)}
              aria-pressed={isPinned}
              title={WORDS.pin(label)}
              onClick={() =>
                onLayout({ pinned: isPinned ? pinned.filter((each) => each !== key) : [...pinned, key] })
              }
            >
              ⇤
            </Button>
            <Button
              variant="ghost"
              aria-label={WORDS.up(label)}
              title={WORDS.up(label)}
              disabled={index === 0}
              onClick={() => onLayout({ columns: moved(columns, index, -1) })}
            >
              ↑
            </Button>
            <Button
              variant="ghost"
              aria-label={WORDS.down(label)}
              title={WORDS.down(label)}
              disabled={index === columns.length - 1}
              onClick={() => onLayout({ columns: moved(columns, index, 1) })}
            >
              ↓
            </Button>
            <Button
              variant="ghost"
              aria-label={WORDS.hide(label)}
              title={WORDS.hide(label)}
              onClick={() =>
                onLayout({
                  columns: columns.filter((each) => each !== key),
                  pinned: pinned.filter((each) => each !== key),
                })
              }
            >
              ×
            </Button>
          </li>
        );
      })}
    </ol>
  );
}

/** Which columns show, in which order, and which stay at the left. */
export function ColumnChooser({ layout, names, onLayout, onClose }: ColumnChooserProps): ReactNode {
  const [find, setFind] = useState('');
  const offered: readonly (readonly [Kind, readonly string[]])[] = [
    ['fixed', FIXED_KEYS],
    ['metrics', names.metrics.map((name) => `metrics.${name}`)],
    ['params', names.params.map((name) => `params.${name}`)],
    ['tags', names.tags.map((name) => `tags.${name}`)],
  ];
  const word = find.trim().toLowerCase();
  const left = offered
    .map(([kind, keys]) => {
      const matching = keys.filter(
        (key) => !layout.columns.includes(key) && columnLabel(key).toLowerCase().includes(word),
      );
      return [kind, matching] as const;
    })
    .filter(([, keys]) => keys.length > 0);
  return (
    <Inspector title={WORDS.title} closeLabel={WORDS.close} onClose={onClose} testId="column-chooser">
      <section>
        <h3>{WORDS.shown}</h3>
        <Shown layout={layout} onLayout={onLayout} />
        <Button variant="ghost" onClick={() => onLayout({ ...DEFAULT_TABLE_LAYOUT, group: layout.group })}>
          {WORDS.reset}
        </Button>
      </section>
      <TextField label={WORDS.find} value={find} placeholder={WORDS.findPlaceholder} onChange={setFind} />
      {left.length === 0 && <p>{WORDS.none}</p>}
      {left.map(([kind, keys]) => (
        <section key={kind}>
          <h3>{WORDS.kinds[kind]}</h3>
          <ul className={styles['offered']}>
            {keys.map((key) => (
              <li key={key}>
                <Button
                  variant="ghost"
                  aria-label={WORDS.add(columnLabel(key))}
                  onClick={() => onLayout({ columns: [...layout.columns, key] })}
                >
                  + {columnLabel(key)}
                </Button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Inspector>
  );
}
