import { useMemo } from 'react';
import type { ReactNode } from 'react';

import type { LabRunRow } from '../../../../core/contract';
import { formatCount } from '../../../format';
import { strings } from '../../../strings';
import { Button } from '../../../ui';
import { runToken } from '../charts';
import styles from './compare.module.css';
import { DifferenceGroup } from './difference-group';
import { differences } from './differences';
import { comparedLaunches, launchDifferences } from './launch-differences';
import type { LaunchGroup } from './launch-differences';
import { useLaunchDiffs } from './use-launch-diffs';

const STRINGS = strings.lab.compare;

const LAUNCH_GROUPS = [
  ['environment', 'lab.diffEnvironment'],
  ['resources', 'lab.diffResources'],
  ['code', 'lab.diffCode'],
] as const satisfies readonly (readonly [LaunchGroup, string])[];

function Head({ rows }: { readonly rows: readonly LabRunRow[] }): ReactNode {
  return (
    <thead>
      <tr>
        <th scope="col">{STRINGS.what}</th>
        {rows.map(({ runId, name }, index) => (
          <th key={runId} scope="col" title={name}>
            <i aria-hidden="true" style={{ background: `var(${runToken(index)})` }} />
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** Only what differs: a line for each thing, a column for each run. */
export function DifferencesTable({ rows }: { readonly rows: readonly LabRunRow[] }): ReactNode {
  const { diffs, error, askAgain } = useLaunchDiffs(rows);
  const logged = useMemo(() => differences(rows), [rows]);
  const launched = useMemo(() => diffs && launchDifferences(rows, diffs), [rows, diffs]);
  const launches = rows.filter(({ isLaunched }) => isLaunched).length;
  const compared = comparedLaunches(rows).length;
  const note = compared < 2 ? STRINGS.notLaunched : error === undefined ? STRINGS.asking : STRINGS.failed;
  return (
    <>
      {error !== undefined && compared >= 2 && (
        <p className={styles['none']} role="alert">
          {STRINGS.failedBecause(error.message)} <Button onClick={askAgain}>{STRINGS.again}</Button>
        </p>
      )}
      {compared < launches && (
        <p className={styles['none']}>
          {STRINGS.tooManyLaunched(formatCount(compared), formatCount(launches))}
        </p>
      )}
      <div className={styles['scroll']} role="region" aria-label={STRINGS.differences} tabIndex={0}>
        <table className={styles['differences']} data-testid="differences">
          <Head rows={rows} />
          <DifferenceGroup
            title={STRINGS.groups.logged}
            help="lab.diffLogged"
            rows={rows}
            list={[...logged, ...(launched?.other ?? [])]}
          />
          {LAUNCH_GROUPS.map(([group, help]) => (
            <DifferenceGroup
              key={group}
              title={STRINGS.groups[group]}
              help={help}
              rows={rows}
              list={compared < 2 ? undefined : launched?.[group]}
              note={note}
            />
          ))}
        </table>
      </div>
    </>
  );
}
