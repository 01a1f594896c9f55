import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { EndpointRecord, NodeState, OffloadState } from '../../../core/contract';
import { formatCount, formatMs, formatPct, formatRate, NO_FIGURE } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, Help } from '../../ui';
import type { HelpId } from '../../ui';
import styles from './node-cards.module.css';

const STRINGS = strings.decisions;

const WORDS = STRINGS.nodes;

/** `share`: how full it is, 0..1, drawn below the figure. */
type Fact = readonly [label: string, value: string, help: HelpId, share?: number | undefined];

interface CardProps {
  readonly name: string;
  readonly tier: string;
  readonly state: string;
  readonly concern: 'failure' | 'degraded' | 'none';
  /** As the agent sees it; absent for an endpoint that stands by. */
  readonly node: NodeState | undefined;
  readonly facts: readonly Fact[];
}

/** The levels worth a word: those that slow requests down. */
function concernsOf(node: NodeState | undefined): readonly string[] {
  if (node === undefined) return [];
  return [
    ...(node.link === 'weak' ? [WORDS.weak] : []),
    ...(node.cpu === 'busy' ? [WORDS.cpuBusy] : []),
    ...(node.memory === 'short' ? [WORDS.memoryShort] : []),
  ];
}

function Card({ name, tier, state, concern, node, facts }: CardProps): ReactNode {
  // Of a node that is left alone it does not matter how slow it was.
  const slow = node?.barred === undefined ? concernsOf(node).join(', ') : '';
  return (
    <li className={styles['card']} data-testid="node-card" data-name={name} data-concern={concern}>
      <p className={styles['head']}>
        <i aria-hidden="true" />
        <b title={name}>{name}</b>
        <span>{tier}</span>
        <span className={styles['state']} title={state}>
          {state}
        </span>
        <span className={styles['slow']} title={slow}>
          {slow}
        </span>
      </p>
      {node?.barred === undefined ? (
        <dl className={styles['facts']}>
          {facts.map(([label, value, help, share]) => (
            <div key={label}>
              <dt>
                <Help id={help}>{label}</Help>
              </dt>
              <dd>{value}</dd>
              {share !== undefined && (
                <i aria-hidden="true" className={styles['queue']}>
                  <i style={{ width: `${Math.round(100 * Math.min(1, share))}%` }} />
                </i>
              )}
            </div>
          ))}
        </dl>
      ) : (
        <p className={styles['barred']} title={node.barred}>
          {node.barred}
        </p>
      )}
    </li>
  );
}

function endpointFacts({ health }: EndpointRecord): readonly Fact[] {
  const { queueLength, queueCapacity } = health;
  const queue =
    queueLength === undefined
      ? NO_FIGURE
      : `${formatCount(queueLength)}/${formatCount(queueCapacity ?? Number.NaN)}`;
  const share = queueLength === undefined || !queueCapacity ? undefined : queueLength / queueCapacity;
  return [
    [WORDS.roundTrip, formatMs(health.roundTripMs ?? Number.NaN), 'endpoints.roundTrip'],
    [WORDS.link, formatRate(health.bytesPerSec ?? Number.NaN), 'endpoints.link'],
    [WORDS.queue, queue, 'endpoints.queue', share],
    [WORDS.busy, formatPct(health.busyPct ?? Number.NaN), 'endpoints.busy'],
  ];
}

/** What is most worth knowing: that it does not answer, that it is not used, that it answers slowly (told beside). */
function stateText({ health, inUse }: EndpointRecord, node: NodeState | undefined): string {
  if (health.state !== 'ready') return WORDS.states[health.state];
  if (!inUse) return WORDS.standby;
  return concernsOf(node).length > 0 ? '' : WORDS.states.ready;
}

function EndpointCard({
  endpoint,
  nodes,
}: {
  endpoint: EndpointRecord;
  nodes: readonly NodeState[];
}): ReactNode {
  const { name, tier, health, inUse } = endpoint;
  const node = inUse ? nodes.find((candidate) => candidate.tier === tier) : undefined;
  const dead = health.state === 'unreachable' || health.state === 'refused';
  const degraded = health.state === 'not-ready' || node?.barred !== undefined;
  return (
    <Card
      name={name}
      tier={STRINGS.tiers[tier]}
      state={stateText(endpoint, node)}
      concern={dead ? 'failure' : degraded ? 'degraded' : 'none'}
      node={node}
      facts={endpointFacts(endpoint)}
    />
  );
}

function DeviceCard({ node }: { readonly node: NodeState | undefined }): ReactNode {
  const { levels } = STRINGS.inspector;
  return (
    <Card
      name={WORDS.device}
      tier=""
      state=""
      concern={node?.barred === undefined ? 'none' : 'degraded'}
      node={node}
      facts={[
        [WORDS.cpu, node === undefined ? NO_FIGURE : levels[node.cpu], 'decisions.levels'],
        [WORDS.memory, node === undefined ? NO_FIGURE : levels[node.memory], 'decisions.levels'],
      ]}
    />
  );
}

/** This device and every endpoint: whether it answers, how far it is, and how much it has to do. */
export function NodeCards({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const { endpoints, layout } = useSession();
  const list = useStore(endpoints, (state) => state.endpoints);
  const { nodes } = deployment;
  return (
    <section className={styles['nodes']} aria-label={WORDS.region}>
      <ul>
        <DeviceCard node={nodes.find(({ tier }) => tier === 'device')} />
        {(list ?? []).map((endpoint) => (
          <EndpointCard key={endpoint.id} endpoint={endpoint} nodes={nodes} />
        ))}
        {list?.length === 0 && (
          <li className={styles['none']}>
            <span>{WORDS.noEndpoints}</span>
            <Button onClick={() => layout.getState().actions.setPanel('endpoints')}>
              {WORDS.noEndpointsAction}
            </Button>
          </li>
        )}
      </ul>
    </section>
  );
}
