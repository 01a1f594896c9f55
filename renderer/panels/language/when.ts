import { formatDay, NO_FIGURE } from '../../format';

/** `14:03` today, `30 Apr` this year, `2025-12-31` before; local time. */
export function formatWhen(iso: string, now: Date): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return NO_FIGURE;
  const two = (value: number): string => String(value).padStart(2, '0');
  if (date.toDateString() === now.toDateString()) return `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.getFullYear() === now.getFullYear()) return formatDay(date);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
