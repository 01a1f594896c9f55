const SUFFIXES: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
]);

/**
 * Reads `4096`, `64MiB`, `1.5GB` or `12%`.
 * @param wholeBytes what 100% means; without it a percentage is refused.
 * @returns whole bytes, or undefined when the text is not a size.
 */
export function parseBytes(text: string, wholeBytes?: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(%|[KMG]i?B|B)?$/.exec(text.trim());
  if (!match) return undefined;
  const amount = Number(match[1]);
  const unit = match[2] ?? '';
  if (unit === '%') return wholeBytes === undefined ? undefined : Math.floor((amount / 100) * wholeBytes);
  const factor = SUFFIXES.get(unit);
  return factor === undefined ? undefined : Math.floor(amount * factor);
}

/** `1.5 MiB`: binary units, three significant digits at most two decimals. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const decimals = unit === 0 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(decimals)} ${units[unit]}`;
}
