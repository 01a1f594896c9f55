import type { BoxFigures, FleetBox } from '../../../core/contract';

const THIN = '\u2009';

/** `42 s`, `3 min`, `5 h`, `12 d`: the largest whole unit, so that it seldom changes. */
export function formatSince(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}${THIN}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${THIN}min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${THIN}h`;
  return `${Math.floor(seconds / 86_400)}${THIN}d`;
}

/** Everything a box is found by, in lower case. */
export function searchText({ name, url, reason, figures }: FleetBox): string {
  const told = figures === undefined ? [] : wordsOf(figures);
  return [name, url, reason ?? '', ...told].join(' ').toLowerCase();
}

function wordsOf({ hostname, version, cpu, models, alerts }: BoxFigures): readonly string[] {
  return [hostname, version, cpu, ...models.map(({ name }) => name), ...alerts];
}

/** Boxes whose text holds every word. */
export function matchesWords(box: FleetBox, words: string): boolean {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return true;
  const text = searchText(box);
  return wanted.every((word) => text.includes(word));
}

/** Whether it may be the address of a host. */
export function isBoxUrl(text: string): boolean {
  // `URL.canParse` is missing in the oldest Electron.
  try {
    const { protocol, hostname } = new URL(text);
    return (protocol === 'http:' || protocol === 'https:') && hostname !== '';
  } catch {
    return false;
  }
}

/** SHA-256 as pairs of digits with colons, wherever it stands in a text. */
export function fingerprintIn(text: string | undefined): string | undefined {
  return /\b(?:[0-9a-f]{2}:){31}[0-9a-f]{2}\b/i.exec(text ?? '')?.[0]?.toUpperCase();
}

/** 64 hexadecimal digits, with colons, blanks or without. */
export function isFingerprint(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text.replaceAll(/[:\s]/g, ''));
}
