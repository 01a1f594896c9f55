import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { EndpointRecord } from '../../../core/contract';
import { formatCount, formatFigure, formatPct, formatRate, NO_FIGURE } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Help, onRowKey, RECORD_TABLE } from '../../ui';
import styles from './endpoints-table.module.css';
import { healthConcern } from './health';

const STRINGS = strings.endpoints;

const COLUMNS = STRINGS.columns;
const HINTS = STRINGS.hints;
const FIGURE = `${RECORD_TABLE.number} ${styles['figure']}`;

function queueText({ health }: EndpointRecord): string {
  if (health.queueLength === undefined) return NO_FIGURE;
  const capacity = health.queueCapacity === undefined ? NO_FIGURE : formatCount(health.queueCapacity);
  return STRINGS.queueOf(formatCount(health.queueLength), capacity);
}

function linkText({ health }: EndpointRecord): string {
  if (health.bytesPerSec !== undefined)
    return `${formatRate(health.bytesPerSec)}, ${STRINGS.links[health.link]}`;
  // Of a link that nothing has come over nothing is known.
  return health.state === 'ready' ? STRINGS.links[health.link] : NO_FIGURE;
}

interface EndpointRowProps {
  readonly endpoint: EndpointRecord;
  readonly variants: number;
  readonly selected: boolean;
  readonly tabStop: boolean;
}

function EndpointRow({ endpoint, variants, selected, tabStop }: EndpointRowProps): ReactNode {
  const { select } = useSession().endpoints.getState().actions;
  const { id, name, health, token } = endpoint;
  return (
    <tr
      data-testid="endpoint-row"
      data-name={name}
      data-state={health.state}
      data-tier={endpoint.tier}
      data-concern={healthConcern(endpoint)}
      aria-selected={selected}
      tabIndex={tabStop ? 0 : -1}
      onClick={() => select(id)}
      onKeyDown={(event) =>
        onRowKey(
          event,
          () => select(id),
          () => select(undefined),
        )
      }
    >
      <td className={styles['name']} title={name}>
        {name}
      </td>
      <td>{STRINGS.tiers[endpoint.tier]}</td>
      <td className={`${styles['url']} ${styles['wide']}`} title={endpoint.url}>
        {endpoint.url}
      </td>
      <td className={styles['health']} title={health.error?.message}>
        <i aria-hidden="true" />
        {STRINGS.states[health.state]}
      </td>
      <td className={FIGURE}>{formatFigure(health.roundTripMs)}</td>
      <td className={FIGURE} data-concern={health.link === 'weak' ? 'degraded' : 'none'}>
        {linkText(endpoint)}
      </td>
      <td className={FIGURE}>{queueText(endpoint)}</td>
      <td className={FIGURE}>{formatPct(health.busyPct ?? Number.NaN)}</td>
      <td className={FIGURE}>{STRINGS.offers(health.offers.length, variants)}</td>
      <td data-concern={token === 'missing' ? 'degraded' : 'none'}>{STRINGS.tokens[token]}</td>
      <td className={endpoint.inUse ? undefined : styles['muted']}>
        {endpoint.inUse ? STRINGS.inUse : STRINGS.standby}
      </td>
    </tr>
  );
}

/** The endpoints with their health. Choosing a row opens the inspector. */
export function EndpointsTable({ endpoints }: { readonly endpoints: readonly EndpointRecord[] }): ReactNode {
  const session = useSession();
  const selected = useStore(session.endpoints, (state) => state.selected);
  const variants = useStore(session.offload, (state) => state.deployment?.variants.length ?? 0);
  const tabStop = endpoints.some(({ id }) => id === selected) ? selected : endpoints[0]?.id;
  const { number } = RECORD_TABLE;
  return (
    <div className={RECORD_TABLE.scroll}>
      <table className={`${RECORD_TABLE.table} ${styles['table']}`} role="grid" aria-label={STRINGS.title}>
        <thead>
          <tr>
            <th scope="col">{COLUMNS.name}</th>
            <th scope="col">{COLUMNS.tier}</th>
            <th scope="col" className={styles['wide']}>
              {COLUMNS.url}
            </th>
            <th scope="col">{COLUMNS.health}</th>
            <th scope="col" className={number}>
              <Help id="endpoints.roundTrip">{COLUMNS.roundTrip}</Help>
            </th>
            <th scope="col" className={number}>
              <Help id="endpoints.link">{COLUMNS.link}</Help>
            </th>
            <th scope="col" className={number}>
              <Help id="endpoints.queue">{COLUMNS.queue}</Help>
            </th>
            <th scope="col" className={number}>
              <Help id="endpoints.busy">{COLUMNS.busy}</Help>
            </th>
            <th scope="col" className={number}>
              <Help id="endpoints.offers">{COLUMNS.offers}</Help>
            </th>
            <th scope="col">{COLUMNS.token}</th>
            <th scope="col" title={HINTS.use}>
              {COLUMNS.use}
            </th>
          </tr>
        </thead>
        <tbody>
          {endpoints.map((endpoint) => (
            <EndpointRow
              key={endpoint.id}
              endpoint={endpoint}
              variants={variants}
              selected={endpoint.id === selected}
              tabStop={endpoint.id === tabStop}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
