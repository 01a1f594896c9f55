import type { KindName } from './trace-model';

/** Colours and fonts of the canvas, read from the page's design tokens. */
export interface TimelineTheme {
  readonly span: Readonly<Record<KindName, string>>;
  /** Text upon a span of each kind. */
  readonly onSpan: Readonly<Record<KindName, string>>;
  readonly ring: string;
  readonly ringFill: string;
  readonly surface: string;
  readonly lane: string;
  readonly grid: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
  readonly font: string;
  readonly smallFont: string;
  readonly monoFont: string;
}

/** Reads the tokens in force at an element. */
export function readTheme(element: Element): TimelineTheme {
  const style = getComputedStyle(element);
  const token = (name: string, fallback: string): string => style.getPropertyValue(name).trim() || fallback;
  const surface = token('--surface', '#ffffff');
  const text = token('--text', '#1a1c1f');
  const span = {
    read: token('--read', '#1f77b8'),
    wait: token('--wait', '#b8478c'),
    compute: token('--compute', '#0b7a57'),
    send: token('--send', '#b5571f'),
    queue: token('--wait', '#b8478c'),
    receive: token('--receive', '#6d57b8'),
    lost: token('--rejected', '#613425'),
  };
  const small = token('--text-small', '11px');
  const ring = token('--ssd', '#3b8fc4');
  return {
    span,
    onSpan: Object.fromEntries(
      Object.entries(span).map(([kind, color]) => [kind, inkOn(color)]),
    ) as typeof span,
    ring,
    ringFill: withAlpha(ring, 0.22),
    surface,
    lane: token('--sunken', '#eaebed'),
    grid: token('--border', '#d7d9dd'),
    text,
    muted: token('--text-muted', '#565c66'),
    accent: token('--accent', '#5a3fc0'),
    font: `${token('--text-table', '12px')} ${token('--font-ui', 'sans-serif')}`,
    smallFont: `${small} ${token('--font-ui', 'sans-serif')}`,
    monoFont: `${small} ${token('--font-mono', 'monospace')}`,
  };
}

/** Black or white, whichever contrasts more with a `#rrggbb` colour (relative luminance of WCAG 2). */
export function inkOn(color: string): string {
  const [red, green, blue] = channels(color);
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return luminance > 0.179 ? '#0c0d0f' : '#ffffff';
}

function linear(channel: number): number {
  const value = channel / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function withAlpha(color: string, alpha: number): string {
  const [red, green, blue] = channels(color);
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}

function channels(color: string): [number, number, number] {
  const value = Number.parseInt(color.replace('#', ''), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** Calls back when the page's theme changes, by its own switch or the system's. @returns stops watching. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, {
    attributes: true,
    attributeFilter: ['data-theme', 'class', 'style'],
  });
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', changed);
  return () => {
    observer.disconnect();
    system.removeEventListener('change', changed);
  };
}
