import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { Belief, DecisionRecord, NodeState, UserDecision } from '../../../core/contract';
import { formatClock, formatCount, formatFigure, formatMs, formatPct } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, FactList, Help, Inspector } from '../../ui';
import { showDecision } from '../timeline';
import { Candidates } from './decision-candidates';
import styles from './decision-inspector.module.css';
import { isOver } from './decision-text';

const STRINGS = strings.decisions;

const WORDS = STRINGS.inspector;

function Why({ record }: { readonly record: DecisionRecord }): ReactNode {
  const facts = [
    [WORDS.by, record.agent],
    [WORDS.threshold, formatPct(record.thresholdPct, 1), 'decisions.threshold'],
    [WORDS.accuracy, formatPct(record.meanAccuracyPct, 1), 'decisions.accuracy'],
    [WORDS.predicted, formatMs(record.predictedMs ?? Number.NaN), 'decisions.predicted'],
    [WORDS.measured, formatMs(record.meanResponseMs ?? Number.NaN), 'decisions.measured'],
    [WORDS.reward, `${formatFigure(record.rewardMs)} ms`, 'decisions.reward'],
  ] as const;
  return (
    <section aria-label={WORDS.why}>
      <p className={styles['why']}>{WORDS.reasons[record.reason]}</p>
      <FactList facts={facts} className={styles['facts']} />
    </section>
  );
}

function Level({
  value,
  slow,
}: {
  readonly value: keyof typeof WORDS.levels;
  readonly slow: boolean;
}): ReactNode {
  return <td data-slow={slow}>{WORDS.levels[value]}</td>;
}

function NodesSeen({ nodes }: { readonly nodes: readonly NodeState[] }): ReactNode {
  return (
    <section>
      <h3>{WORDS.state}</h3>
      <table className={styles['table']}>
        <thead>
          <tr>
            <th scope="col">{WORDS.node}</th>
            <th scope="col">
              <Help id="decisions.levels">{WORDS.cpu}</Help>
            </th>
            <th scope="col">
              <Help id="decisions.levels">{WORDS.memory}</Help>
            </th>
            <th scope="col">
              <Help id="decisions.levels">{WORDS.link}</Help>
            </th>
          </tr>
        </thead>
        <tbody>
          {nodes.map(({ tier, cpu, memory, link, barred }) => (
            <tr key={tier}>
              <th scope="row">{STRINGS.tiers[tier]}</th>
              {barred === undefined ? (
                <>
                  <Level value={cpu} slow={cpu === 'busy'} />
                  <Level value={memory} slow={memory === 'short'} />
                  <Level value={link} slow={link === 'weak'} />
                </>
              ) : (
                <td colSpan={3} data-slow="true">
                  {STRINGS.matrix.barred(barred)}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Answer({ user, over }: { readonly user: UserDecision; readonly over: boolean }): ReactNode {
  if (!over) return <td colSpan={2}>{STRINGS.matrix.underWay}</td>;
  const by = user.answeredBy === undefined ? STRINGS.matrix.nobody : STRINGS.tiers[user.answeredBy];
  return (
    <>
      <td data-slow={user.answeredBy !== user.tier}>{by}</td>
      <td className={styles['number']}>{formatFigure(user.responseMs)}</td>
    </>
  );
}

function Failures({ user }: { readonly user: UserDecision }): ReactNode {
  return user.failures.map(({ endpoint, reason, error, lostMs }, index) => (
    <tr key={index} className={styles['failure']}>
      <td colSpan={5}>
        {reason === 'slow' ? STRINGS.feed.slow(endpoint) : STRINGS.feed.failed(endpoint)},{' '}
        {WORDS.lost(formatMs(lostMs))}: {error}
      </td>
    </tr>
  ));
}

function Chosen({ record }: { readonly record: DecisionRecord }): ReactNode {
  const over = isOver(record);
  return (
    <section>
      <h3>{WORDS.chosen}</h3>
      <table className={styles['table']}>
        <thead>
          <tr>
            <th scope="col">{STRINGS.matrix.columns.user}</th>
            <th scope="col">{WORDS.choice}</th>
            <th scope="col" className={styles['number']}>
              <Help id="decisions.predicted">{STRINGS.matrix.columns.predicted}</Help>
            </th>
            <th scope="col">{WORDS.answeredBy}</th>
            <th scope="col" className={styles['number']}>
              <Help id="decisions.measured">{STRINGS.matrix.columns.measured}</Help>
            </th>
          </tr>
        </thead>
        {record.users.map((user, index) => (
          <tbody key={index}>
            <tr>
              <th scope="row">{index + 1}</th>
              <td title={user.pinned ? WORDS.pinned : undefined}>
                {`${STRINGS.tiers[user.tier]} ${user.variant}`}
                {user.pinned && <small> {STRINGS.matrix.pinned}</small>}
              </td>
              <td className={styles['number']}>{formatFigure(user.predictedMs)}</td>
              <Answer user={user} over={over} />
            </tr>
            <Failures user={user} />
          </tbody>
        ))}
      </table>
    </section>
  );
}

interface DecisionInspectorProps {
  readonly id: number;
  readonly beliefs: readonly Belief[] | undefined;
}

/** Explains one decision: what the agent saw, what it chose and why, how it came out, what else there was. */
export function DecisionInspector({ id, beliefs = [] }: DecisionInspectorProps): ReactNode {
  const session = useSession();
  const record = useStore(session.offload, (state) => state.decisions.find((decision) => decision.id === id));
  const { select } = session.offload.getState().actions;
  const title = WORDS.title(formatCount(id), record === undefined ? '' : formatClock(record.at));
  return (
    <Inspector
      title={title}
      closeLabel={WORDS.close}
      testId="decision-inspector"
      onClose={() => select(undefined)}
    >
      {record === undefined ? (
        <p>{WORDS.gone}</p>
      ) : (
        <>
          <Why record={record} />
          <div>
            <Button
              title={WORDS.timelineHint}
              disabled={!isOver(record)}
              onClick={() => showDecision(session, record.id)}
            >
              {WORDS.timeline}
            </Button>
          </div>
          <Chosen record={record} />
          <NodesSeen nodes={record.nodes} />
          <Candidates record={record} beliefs={beliefs} />
        </>
      )}
    </Inspector>
  );
}
