import { useMemo } from 'react';
import type { ReactNode } from 'react';

import { REMOTE_STAGES } from '../../../core/contract';
import type { DecisionRecord, RemoteStage, UserDecision } from '../../../core/contract';
import { formatFigure, NO_FIGURE } from '../../format';
import { strings } from '../../strings';
import type { RequestTrace } from '../../timeline-engine';
import { VirtualTable } from '../../ui';
import type { HelpId, TableColumn } from '../../ui';

const STRINGS = strings.timeline;

const WORDS = STRINGS.requests;

interface UserRow {
  readonly user: number;
  /** Absent when the decision is no longer in the list. */
  readonly decided: UserDecision | undefined;
  /** Milliseconds by stage. */
  readonly ms: Readonly<Record<RemoteStage, number>>;
}

function rowsOf(model: RequestTrace, decision: DecisionRecord | undefined): readonly UserRow[] {
  const { columns } = model;
  const users = [...new Set(columns.user)].sort((a, b) => a - b);
  return users.map((user) => {
    const ms = { send: 0, queue: 0, compute: 0, receive: 0, lost: 0 };
    columns.user.forEach((owner, span) => {
      if (owner === user) ms[REMOTE_STAGES[columns.kind[span]!]!] += columns.durationUs[span]! / 1000;
    });
    return { user, decided: decision?.users[user], ms };
  });
}

function answeredBy({ decided }: UserRow): string {
  if (decided === undefined) return NO_FIGURE;
  return decided.answeredBy ?? WORDS.nobody;
}

function figure(
  key: string,
  label: string,
  pick: (row: UserRow) => number | undefined,
  help: HelpId,
): TableColumn<UserRow> {
  return {
    key,
    label,
    width: '13ch',
    align: 'end',
    help,
    cell: (row) => formatFigure(pick(row)),
    compare: (a, b) => (pick(a) ?? Infinity) - (pick(b) ?? Infinity) || 0,
  };
}

const COLUMNS: readonly TableColumn<UserRow>[] = [
  {
    key: 'user',
    label: WORDS.user,
    width: '7ch',
    align: 'end',
    cell: ({ user }) => user + 1,
    compare: (a, b) => a.user - b.user,
  },
  {
    key: 'decided',
    label: WORDS.decided,
    width: 'minmax(12ch, 24ch)',
    cell: ({ decided }) => (decided === undefined ? NO_FIGURE : `${decided.tier} ${decided.variant}`),
  },
  { key: 'by', label: WORDS.by, width: '12ch', cell: answeredBy },
  figure('response', WORDS.response, ({ decided }) => decided?.responseMs, 'timeline.response'),
  figure('send', WORDS.send, ({ ms }) => ms.send, 'timeline.send'),
  figure('queue', WORDS.queue, ({ ms }) => ms.queue, 'timeline.queue'),
  figure('compute', WORDS.compute, ({ ms }) => ms.compute, 'timeline.compute'),
  figure('receive', WORDS.receive, ({ ms }) => ms.receive, 'timeline.receive'),
  figure('lost', WORDS.lost, ({ ms }) => ms.lost, 'timeline.lost'),
];

interface UsersTableProps {
  readonly model: RequestTrace;
  readonly decision: DecisionRecord | undefined;
  readonly selectedUser: number | undefined;
  readonly onShow: (user: number) => void;
}

/** Every user's request by stage: the canvas in words. */
export function UsersTable({ model, decision, selectedUser, onShow }: UsersTableProps): ReactNode {
  const rows = useMemo(() => rowsOf(model, decision), [model, decision]);
  return (
    <VirtualTable
      label={WORDS.title}
      rows={rows}
      columns={COLUMNS}
      rowKey={({ user }) => user}
      selected={selectedUser}
      minWidthPx={900}
      onOpen={({ user }) => onShow(user)}
      rowData={({ user }) => ({ 'data-testid': 'request-row', 'data-user': String(user) })}
    />
  );
}
