/** One line of figures beside the pointer. */
export interface TooltipLine {
  readonly label: string;
  readonly value: string;
}

export interface TooltipText {
  readonly title: string;
  /** CSS colour of the mark before the title. */
  readonly color: string;
  readonly lines: readonly TooltipLine[];
}

const GAP_PX = 14;

/** A small box that follows the pointer. It repeats what the inspector tells, so assistive technology skips it. */
export class Tooltip {
  readonly #element = document.createElement('div');

  constructor(readonly host: HTMLElement) {
    this.#element.setAttribute('aria-hidden', 'true');
    Object.assign(this.#element.style, {
      position: 'absolute',
      left: '0',
      top: '0',
      pointerEvents: 'none',
      visibility: 'hidden',
      zIndex: '2',
      maxWidth: '320px',
      padding: '6px 8px',
      borderRadius: 'var(--radius, 4px)',
      border: '1px solid var(--border-strong, #868b94)',
      background: 'var(--raised, #fff)',
      color: 'var(--text, #1a1c1f)',
      boxShadow: 'var(--shadow, 0 2px 8px rgb(0 0 0 / 20%))',
      fontSize: 'var(--text-table, 12px)',
      lineHeight: '1.45',
      fontVariantNumeric: 'tabular-nums',
    });
    host.append(this.#element);
  }

  show(text: TooltipText, xPx: number, yPx: number): void {
    this.#element.replaceChildren(titleElement(text), ...text.lines.map(lineElement));
    const { offsetWidth, offsetHeight } = this.#element;
    const flip = xPx + GAP_PX + offsetWidth > this.host.clientWidth;
    const left = flip ? xPx - GAP_PX - offsetWidth : xPx + GAP_PX;
    const below = yPx + GAP_PX + offsetHeight <= this.host.clientHeight;
    const top = below ? yPx + GAP_PX : Math.max(0, yPx - GAP_PX - offsetHeight);
    this.#element.style.transform = `translate(${Math.max(0, Math.round(left))}px, ${Math.round(top)}px)`;
    this.#element.style.visibility = 'visible';
  }

  hide(): void {
    this.#element.style.visibility = 'hidden';
  }

  destroy(): void {
    this.#element.remove();
  }
}

function titleElement({ title, color }: TooltipText): HTMLElement {
  const element = document.createElement('div');
  const mark = document.createElement('span');
  Object.assign(mark.style, {
    display: 'inline-block',
    width: '8px',
    height: '8px',
    marginRight: '6px',
    borderRadius: '2px',
    background: color,
  });
  const text = document.createElement('span');
  text.textContent = title;
  Object.assign(text.style, { fontFamily: 'var(--font-mono, monospace)', overflowWrap: 'anywhere' });
  element.append(mark, text);
  return element;
}

function lineElement({ label, value }: TooltipLine): HTMLElement {
  const element = document.createElement('div');
  Object.assign(element.style, { display: 'flex', justifyContent: 'space-between', gap: '16px' });
  const name = document.createElement('span');
  name.textContent = label;
  name.style.color = 'var(--text-muted, #565c66)';
  const figure = document.createElement('span');
  figure.textContent = value;
  element.append(name, figure);
  return element;
}
