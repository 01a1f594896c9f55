import type { SluiceError } from '../../../contract';
import type { PublishedDeployment, VersionTraffic } from '../../../serving';
import { formatMs, table } from '../table';

interface Row {
  readonly url: string;
  readonly deployment: PublishedDeployment;
  readonly error?: SluiceError;
}

interface Line extends Row {
  readonly role: 'stable' | 'canary';
  readonly traffic: VersionTraffic;
}

/** A line for each version that answers. */
export function deploymentTable(rows: readonly Row[]): string {
  if (rows.length === 0) return 'Nothing is published; "sluice lab publish" does that.';
  return table<Line>(
    [
      { title: 'name', text: ({ deployment }) => deployment.servedAs },
      { title: 'model', text: ({ deployment }) => deployment.model },
      { title: 'version', text: ({ role, traffic }) => `${traffic.version} ${role}` },
      { title: 'share', text: ({ traffic }) => `${traffic.sharePct}%`, align: 'right' },
      { title: 'requests', text: ({ traffic }) => String(traffic.requests), align: 'right' },
      { title: 'failed', text: ({ traffic }) => String(traffic.failures), align: 'right' },
      { title: 'median', text: ({ traffic }) => timeText(traffic.medianMs), align: 'right' },
      { title: 'p95', text: ({ traffic }) => timeText(traffic.p95Ms), align: 'right' },
      { title: 'endpoint', text: ({ url }) => url },
      { title: 'state', text: stateText },
    ],
    rows.flatMap(linesOf),
  );
}

function linesOf(row: Row): readonly Line[] {
  const { stable, canary } = row.deployment;
  return [
    { ...row, role: 'stable', traffic: stable },
    ...(canary ? [{ ...row, role: 'canary' as const, traffic: canary }] : []),
  ];
}

function stateText({ error, role, deployment: { problem, previousVersion } }: Line): string {
  if (error) return error.message;
  if (role === 'canary') return 'ready';
  return problem ?? (previousVersion === undefined ? 'ready' : `ready, before it version ${previousVersion}`);
}

function timeText(ms: number | undefined): string {
  return ms === undefined ? '-' : formatMs(ms);
}
