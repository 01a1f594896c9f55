import { REMOTE_STAGES } from '../../core/contract';
import type { RemoteStage, RemoteTrace } from '../../core/contract';
import { strings } from '../strings';
import { endUs, groupSpans, spansWhere } from './span-group';
import type { SpanGroup } from './span-group';
import type { SpanRow } from './span-row';
import type { RequestTrace, TraceLane } from './trace-model';

/** A row for one user, before its lane takes all the height there is. */
const MAX_ROW_PX = 40;

/** Prepares the requests of a round: a lane for each place that answered, in it a row for each user's request. */
export function buildRequestTrace(columns: RemoteTrace): RequestTrace {
  const count = columns.startUs.length;
  const rowOf = new Uint16Array(count);
  const lanes = columns.laneNames.map((name, lane): TraceLane => {
    const rows = rowsOfLane(columns, lane, rowOf);
    const tier = columns.laneTiers[lane];
    return {
      key: `${lane}`,
      title: name,
      ...(tier === undefined || tier === name ? {} : { note: tier }),
      color: 'mixed',
      rows,
      weight: Math.max(1, rows.length),
      maxPx: Math.max(1, rows.length) * MAX_ROW_PX,
      nothing: strings.trace.noRequest,
    };
  });
  let durationUs = 0;
  for (let span = 0; span < count; span += 1) durationUs = Math.max(durationUs, endUs(columns, span));
  const kinds = groupStages(columns);
  return {
    source: 'requests',
    columns,
    kindNames: REMOTE_STAGES,
    startUs: Math.min(0, columns.startUs[0] ?? 0),
    durationUs,
    kinds,
    lanes,
    laneOf: columns.lane,
    rowOf,
    groupOf: columns.user,
    waits: kinds.queue,
    labelOf: (span) => strings.trace.stageOf(REMOTE_STAGES[columns.kind[span]!]!, columns.user[span]! + 1),
  };
}

/** One user's stages follow each other in a row; attempts of a user that overlap open another. */
function rowsOfLane(columns: RemoteTrace, lane: number, rowOf: Uint16Array): readonly SpanRow[] {
  const spans = spansWhere(columns.lane.length, (span) => columns.lane[span] === lane);
  const users = [...new Set(spans.map((span) => columns.user[span]!))].sort((a, b) => a - b);
  const rows: SpanRow[] = [];
  for (const user of users) {
    const own = spans.filter((span) => columns.user[span] === user);
    const group = groupSpans(columns, own, rowOf);
    for (const span of own) rowOf[span] = rowOf[span]! + rows.length;
    rows.push(...group.rows);
  }
  return rows;
}

function groupStages(columns: RemoteTrace): Readonly<Record<RemoteStage, SpanGroup>> {
  const rowInGroup = new Uint16Array(columns.kind.length);
  const group = (stage: RemoteStage): SpanGroup => {
    const wanted = REMOTE_STAGES.indexOf(stage);
    const spans = spansWhere(columns.kind.length, (span) => columns.kind[span] === wanted);
    return groupSpans(columns, spans, rowInGroup);
  };
  return {
    send: group('send'),
    queue: group('queue'),
    compute: group('compute'),
    receive: group('receive'),
    lost: group('lost'),
  };
}
