import type { ReactNode } from 'react';

import type { LabRunDetail, LabRunRow } from '../../../../core/contract';
import { formatBytes } from '../../../format';
import { strings } from '../../../strings';
import { Button, FactList } from '../../../ui';
import type { Fact } from '../../../ui';
import { formatMetric, formatMoment, formatTaken } from '../lab-format';
import { durationMs } from '../runs/run-values';
import { StateMark } from '../runs/state-mark';
import { useNow } from '../../../ui/use-now';
import { RunLink } from '../shelf';
import styles from './run-page.module.css';
import { argumentLines, shellQuoted } from './shell-words';

const STRINGS = strings.lab.runPage;

const WORDS = STRINGS.facts_;
const PARTS = STRINGS.parts;
const HASH_LETTERS = 12;
/** Longer figures are a double's last digits, which nobody compares by eye. */
const MOST_FIGURE_LETTERS = 10;

/** Facts whose value is known. */
function known(facts: readonly Fact[]): readonly Fact[] {
  return facts.filter(([, value]) => value !== undefined && value !== '');
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Facts({ title, facts }: { readonly title: string; readonly facts: readonly Fact[] }): ReactNode {
  if (facts.length === 0) return null;
  return (
    <Part title={title}>
      <FactList className={styles['facts']} facts={facts} />
    </Part>
  );
}

function Duration({ row }: { readonly row: LabRunRow }): ReactNode {
  const ms = durationMs(row, useNow());
  return ms === undefined ? null : formatTaken(ms);
}

function when(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatMoment(ms);
}

/** An option a line. What a line has no room for stands in its hint. */
function Arguments({ words }: { readonly words: readonly string[] }): ReactNode {
  return argumentLines(words).map((line, index) => (
    <code key={index} className={styles['argument']} title={shellQuoted(line)}>
      {shellQuoted(line)}
    </code>
  ));
}

/** As logged; of a long figure as many digits as can be read. */
function parameter(text: string): ReactNode {
  if (text.length <= MOST_FIGURE_LETTERS || !Number.isFinite(Number(text))) return text;
  return <span title={text}>{formatMetric(Number(text))}</span>;
}

function programFacts({ entry, args, image, resources }: LabRunDetail): readonly Fact[] {
  return known([
    [WORDS.entry, entry],
    [WORDS.arguments, args !== undefined && args.length > 0 ? <Arguments words={args} /> : undefined],
    [WORDS.image, image],
    [
      WORDS.resources,
      resources && STRINGS.resourcesText(resources.cpus, resources.gpus, formatBytes(resources.memoryBytes)),
      'lab.cpus',
    ],
  ]);
}

function dataFacts({ code, dataset, datasetHash }: LabRunDetail): readonly Fact[] {
  return known([
    [
      WORDS.code,
      code && (
        <span title={code.hash}>
          {STRINGS.codeText(code.files, formatBytes(code.bytes), code.hash.slice(0, HASH_LETTERS))}
        </span>
      ),
      'lab.code',
    ],
    [WORDS.dataset, dataset],
    [WORDS.datasetHash, datasetHash && <span title={datasetHash}>{datasetHash.slice(0, HASH_LETTERS)}</span>],
  ]);
}

function Checkpoints(props: {
  readonly detail: LabRunDetail;
  readonly onFork: (path: string) => void;
}): ReactNode {
  const { checkpoints } = props.detail;
  return (
    <Part title={PARTS.checkpoints}>
      {checkpoints.length === 0 ? (
        <p className={styles['muted']}>{STRINGS.noCheckpoints}</p>
      ) : (
        <ul className={styles['list']}>
          {checkpoints.map((path) => (
            <li key={path}>
              <code title={path}>{path.replace(/^checkpoints\//, '')}</code>
              <Button variant="ghost" onClick={() => props.onFork(path)}>
                {STRINGS.forkFrom}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}

function Family({ detail }: { readonly detail: LabRunDetail }): ReactNode {
  const { parent, parentId, checkpoint, forks } = detail;
  if (parent === undefined && forks.length === 0) return null;
  return (
    <Part title={PARTS.family}>
      {parent !== undefined && (
        <FactList
          className={styles['facts']}
          facts={known([
            [WORDS.parent, parentId === undefined ? parent : <RunLink runId={parentId} name={parent} />],
            [WORDS.checkpoint, checkpoint],
          ])}
        />
      )}
      {forks.length > 0 && (
        <ul className={styles['list']} aria-label={PARTS.forks}>
          {forks.map(({ runId, name, state }) => (
            <li key={runId}>
              <RunLink runId={runId} name={name} />
              <StateMark run={{ state }} />
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}

interface RunFactsProps {
  readonly row: LabRunRow;
  readonly detail: LabRunDetail | undefined;
  readonly onFork: (checkpoint: string) => void;
}

/** What was launched, on what, and what came of it. */
export function RunFacts({ row, detail, onFork }: RunFactsProps): ReactNode {
  const named = (record: Readonly<Record<string, string>>): readonly Fact[] => Object.entries(record);
  return (
    <aside className={styles['about']} aria-label={STRINGS.facts} tabIndex={0}>
      <Facts
        title={PARTS.run}
        facts={known([
          [WORDS.user, row.user],
          [WORDS.experiment, row.experiment],
          [WORDS.created, formatMoment(row.createdMs)],
          [WORDS.started, when(row.startedMs)],
          [WORDS.ended, when(row.endedMs)],
          [WORDS.duration, row.startedMs === undefined ? undefined : <Duration row={row} />, 'lab.duration'],
          [WORDS.engine, row.engine],
          [WORDS.node, row.node],
          [WORDS.attempt, row.attempt],
          [WORDS.search, row.search],
          [WORDS.id, <span title={row.runId}>{row.runId.slice(0, HASH_LETTERS)}</span>],
        ])}
      />
      {detail !== undefined && <Facts title={PARTS.program} facts={programFacts(detail)} />}
      {detail !== undefined && <Facts title={PARTS.data} facts={dataFacts(detail)} />}
      <Facts
        title={PARTS.params}
        facts={Object.entries(row.params).map(([name, value]) => [name, parameter(value)])}
      />
      {detail !== undefined && row.isLaunched && <Checkpoints detail={detail} onFork={onFork} />}
      {detail !== undefined && <Family detail={detail} />}
      {detail !== undefined && (
        <Facts
          title={PARTS.models}
          facts={detail.models.map(({ model, version }) => [model, STRINGS.modelVersion(version)])}
        />
      )}
      {detail?.environment !== undefined && (
        <Facts title={PARTS.environment} facts={named(detail.environment)} />
      )}
      <Facts title={PARTS.tags} facts={named(row.tags)} />
    </aside>
  );
}
