import type { LabCompetition } from '../../../../core/contract';
import { strings } from '../../../strings';

const STRINGS = strings.lab.board;

/** `3 d 4 h`, `5 h 12 min`, `12 min`: what is left, two parts at most. */
export function spanText(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return STRINGS.lessThanAMinute;
  if (minutes < 60) return `${minutes}\u2009min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}\u2009h ${minutes % 60}\u2009min`;
  return `${Math.floor(hours / 24)}\u2009d ${hours % 24}\u2009h`;
}

export function isOver({ deadlineMs }: LabCompetition, nowMs: number): boolean {
  return deadlineMs !== undefined && deadlineMs <= nowMs;
}

/** `ends in 3 d 4 h`, `over`. */
export function deadlineText(competition: LabCompetition, nowMs: number): string {
  const { deadlineMs } = competition;
  if (deadlineMs === undefined) return STRINGS.noDeadline;
  return isOver(competition, nowMs) ? STRINGS.over : STRINGS.deadline(spanText(deadlineMs - nowMs));
}
