/** What a key press asks of the timeline. */
export interface KeyTarget {
  /** By a share of the visible time; negative: earlier. */
  panShare(share: number): void;
  zoomCentre(factor: number): void;
  fit(): void;
  /** To the next or previous span of the selected one's kind. */
  step(direction: 1 | -1): void;
  /** To the next wait after the selection, or the first. */
  nextWait(): void;
  zoomToSelection(): void;
  clear(): void;
}

const PAN_SHARE = 0.15;
const ZOOM_FACTOR = 1.5;

const KEYS: Readonly<Record<string, (target: KeyTarget) => void>> = {
  arrowleft: (target) => target.panShare(-PAN_SHARE),
  a: (target) => target.panShare(-PAN_SHARE),
  arrowright: (target) => target.panShare(PAN_SHARE),
  d: (target) => target.panShare(PAN_SHARE),
  arrowup: (target) => target.zoomCentre(ZOOM_FACTOR),
  w: (target) => target.zoomCentre(ZOOM_FACTOR),
  '+': (target) => target.zoomCentre(ZOOM_FACTOR),
  '=': (target) => target.zoomCentre(ZOOM_FACTOR),
  arrowdown: (target) => target.zoomCentre(1 / ZOOM_FACTOR),
  s: (target) => target.zoomCentre(1 / ZOOM_FACTOR),
  '-': (target) => target.zoomCentre(1 / ZOOM_FACTOR),
  f: (target) => target.fit(),
  '0': (target) => target.fit(),
  home: (target) => target.fit(),
  ',': (target) => target.step(-1),
  '.': (target) => target.step(1),
  n: (target) => target.nextWait(),
  enter: (target) => target.zoomToSelection(),
  escape: (target) => target.clear(),
};

/** Handles a key pressed while the timeline has the focus; other keys and shortcuts pass. */
export function handleKey(event: KeyboardEvent, target: KeyTarget): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const action = KEYS[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  // The number keys and others mean something to the window, too.
  event.stopPropagation();
  action(target);
}
