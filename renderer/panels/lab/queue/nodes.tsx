import type { ReactNode } from 'react';

import type { LabNode, LabQueue } from '../../../../core/contract';
import { formatBytes, formatBytesOf } from '../../../format';
import { strings } from '../../../strings';
import { Help } from '../../../ui';
import { UsageBar } from '../shelf';
import styles from './queue.module.css';

const STRINGS = strings.lab.queue;
const SHELF = strings.lab.shelf;

interface UsageLineProps {
  readonly label: string;
  readonly used: number;
  readonly total: number;
  readonly text: (value: number) => string;
  /** `1/4`. */
  readonly amount: string;
}

function UsageLine({ label, used, total, text, amount }: UsageLineProps): ReactNode {
  return (
    <div className={styles['usage']}>
      <span>{label}</span>
      <UsageBar used={used} total={total} label={SHELF.used(label, text(used), text(total))} />
      <span>{amount}</span>
    </div>
  );
}

/** Processors are given away in tenths. */
function amountText(value: number): string {
  return String(Number(value.toFixed(1)));
}

function NodeCard({ node }: { readonly node: LabNode }): ReactNode {
  const { total, free } = node;
  const used = {
    cpus: total.cpus - free.cpus,
    gpus: total.gpus - free.gpus,
    memoryBytes: total.memoryBytes - free.memoryBytes,
  };
  return (
    <li className={styles['node']} data-testid="node-card" data-up={node.isUp}>
      <h3>
        <span className={styles['nodeName']} title={node.name}>
          {node.name}
        </span>
        <span className={styles['muted']}>{node.engine}</span>
        {!node.isUp && <span className={styles['down']}>{STRINGS.isDown}</span>}
      </h3>
      {(['cpus', 'gpus'] as const).map(
        (kind) =>
          total[kind] > 0 && (
            <UsageLine
              key={kind}
              label={STRINGS[kind]}
              used={used[kind]}
              total={total[kind]}
              text={amountText}
              amount={`${amountText(used[kind])}/${amountText(total[kind])}`}
            />
          ),
      )}
      <UsageLine
        label={STRINGS.memory}
        used={used.memoryBytes}
        total={total.memoryBytes}
        text={formatBytes}
        amount={formatBytesOf(used.memoryBytes, total.memoryBytes)}
      />
      <p className={styles['holds']} title={STRINGS.datasetsHint}>
        <span className={styles['muted']}>{STRINGS.datasets} </span>
        {node.datasets.length === 0 ? (
          <span className={styles['muted']}>{STRINGS.noDatasets}</span>
        ) : (
          <span className={styles['mono']}>{node.datasets.join(', ')}</span>
        )}
      </p>
    </li>
  );
}

function minutesText(minutes: number): string {
  return minutes >= 100 ? minutes.toFixed(0) : minutes.toFixed(1);
}

function AccountLine(props: {
  readonly label: string;
  readonly used: number;
  readonly budget: number | undefined;
}): ReactNode {
  const { label, used, budget } = props;
  const text =
    budget === undefined
      ? STRINGS.minutes(minutesText(used))
      : STRINGS.minutesOf(minutesText(used), minutesText(budget));
  const isOver = budget !== undefined && used >= budget;
  return (
    <div className={styles['usage']} data-over={isOver} data-testid="account-line">
      <span>{label}</span>
      {budget === undefined ? <span /> : <UsageBar used={used} total={budget} label={`${label}: ${text}`} />}
      <span>{text}</span>
    </div>
  );
}

/** What each node has and what of it is taken, and what this user has used of the day. */
export function Nodes({ nodes, account }: Pick<LabQueue, 'nodes' | 'account'>): ReactNode {
  return (
    <aside className={styles['side']} aria-label={STRINGS.nodes}>
      <section>
        <h2>
          <Help id="lab.account">{STRINGS.account}</Help>
        </h2>
        <AccountLine label={STRINGS.cpuMinutes} used={account.cpuMinutes} budget={account.cpuMinutesBudget} />
        <AccountLine label={STRINGS.gpuMinutes} used={account.gpuMinutes} budget={account.gpuMinutesBudget} />
      </section>
      <section>
        <h2>
          <Help id="lab.node">{STRINGS.nodes}</Help>
        </h2>
        {nodes.length === 0 ? (
          <p className={styles['muted']}>{STRINGS.noNodes}</p>
        ) : (
          <ul>
            {nodes.map((node) => (
              <NodeCard key={`${node.engine} ${node.name}`} node={node} />
            ))}
          </ul>
        )}
      </section>
    </aside>
  );
}
