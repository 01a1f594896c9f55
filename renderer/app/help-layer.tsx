import { Popover } from '@base-ui/react/popover';
import { useEffect, useId } from 'react';
import type { ReactNode } from 'react';

import { strings } from '../strings';
import type { HelpId } from '../ui';
import styles from './help-layer.module.css';

const WORDS = strings.ui.help;
/** A pointer that rests this long wants to know. */
const REST_MS = 450;

export interface ShownHelp {
  readonly id: HelpId;
  readonly anchor: HTMLElement | null;
  /** Stays until it is closed; else it goes with pointer and focus. */
  readonly isPinned: boolean;
}

function isHelpId(id: string | undefined): id is HelpId {
  return id !== undefined && id in strings.help;
}

/** The figure an event is about. */
function figureOf(target: EventTarget | null): HTMLElement | undefined {
  return target instanceof Element ? (target.closest<HTMLElement>('[data-help]') ?? undefined) : undefined;
}

function helpOf(element: HTMLElement | undefined, isPinned: boolean): ShownHelp | undefined {
  const id = element?.dataset['help'];
  return element !== undefined && isHelpId(id) ? { id, anchor: element, isPinned } : undefined;
}

/** Follows pointer, focus and keys over the whole page, so that a figure needs no more than `data-help`. */
function useHelpEvents(show: (next: (old: ShownHelp | undefined) => ShownHelp | undefined) => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let hinted: ShownHelp | undefined;
    const hint = (element: HTMLElement | undefined): void => {
      clearTimeout(timer);
      const help = helpOf(element, false);
      hinted = undefined;
      if (help === undefined) show((old) => (old?.isPinned === true ? old : undefined));
      else
        timer = setTimeout(() => {
          hinted = help;
          show((old) => (old?.isPinned === true ? old : help));
        }, REST_MS);
    };
    const onOver = (event: Event): void => hint(figureOf(event.target));
    const onFocus = (event: Event): void => hint(figureOf(event.target));
    const onClick = (event: MouseEvent): void => {
      const term =
        event.target instanceof Element ? event.target.closest<HTMLElement>('dfn[data-help]') : null;
      if (term !== null) show(() => helpOf(term, true));
    };
    const onKey = (event: KeyboardEvent): void => {
      const { target, key } = event;
      const isAsking = key === 'F1';
      const isOpening = key === 'Enter' && target instanceof Element && target.matches('dfn[data-help]');
      if (!isAsking && !isOpening) return;
      const panel =
        target instanceof Element ? target.querySelector<HTMLElement>(':scope > [data-help]') : null;
      // What is pointed at is asked about before what has the focus.
      const pointed = isAsking && hinted?.anchor?.isConnected === true ? hinted.anchor : undefined;
      const help = helpOf(pointed ?? figureOf(target) ?? panel ?? undefined, true);
      if (help === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      clearTimeout(timer);
      hinted = undefined;
      show(() => help);
    };
    document.addEventListener('pointerover', onOver);
    document.addEventListener('focusin', onFocus);
    document.addEventListener('click', onClick);
    document.addEventListener('keydown', onKey, true);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('pointerover', onOver);
      document.removeEventListener('focusin', onFocus);
      document.removeEventListener('click', onClick);
      document.removeEventListener('keydown', onKey, true);
    };
  }, [show]);
}

function HelpText({ id }: { readonly id: HelpId }): ReactNode {
  const { what, how, do: remedy } = strings.help[id];
  return (
    <dl className={styles['text']}>
      <div>
        <dt>{WORDS.what}</dt>
        <dd>{what}</dd>
      </div>
      <div>
        <dt>{WORDS.how}</dt>
        <dd>{how}</dd>
      </div>
      <div>
        <dt>{WORDS.do}</dt>
        <dd>{remedy}</dd>
      </div>
    </dl>
  );
}

interface HelpLayerProps {
  readonly shown: ShownHelp | undefined;
  readonly onShow: (next: (old: ShownHelp | undefined) => ShownHelp | undefined) => void;
}

/** The help of the figure that is pointed at, has the focus, or was asked for. */
export function HelpLayer({ shown, onShow }: HelpLayerProps): ReactNode {
  useHelpEvents(onShow);
  const id = useId();
  const anchor = shown?.anchor;
  useEffect(() => {
    if (anchor === null || anchor === undefined) return;
    const before = anchor.getAttribute('aria-describedby');
    anchor.setAttribute('aria-describedby', id);
    return () => {
      if (before === null) anchor.removeAttribute('aria-describedby');
      else anchor.setAttribute('aria-describedby', before);
    };
  }, [anchor, id]);
  if (shown === undefined) return null;
  const { name, what } = strings.help[shown.id];
  // A click on what is no more than a label asks; on a head it sorts, on a button it presses.
  const more = shown.anchor?.matches('dfn') === true ? WORDS.more : WORDS.moreByKey;
  return (
    <Popover.Root
      open
      onOpenChange={(_open, details) => {
        if (shown.isPinned || details.reason === 'escape-key') onShow(() => undefined);
        else details.cancel();
      }}
    >
      <Popover.Portal>
        <Popover.Positioner
          anchor={shown.anchor ?? document.querySelector('main')}
          side={shown.anchor === null ? 'top' : 'bottom'}
          align="start"
          sideOffset={6}
          collisionPadding={8}
          className={styles['positioner']}
          data-pinned={shown.isPinned}
        >
          <Popover.Popup
            className={styles['card']}
            role={shown.isPinned ? 'dialog' : 'tooltip'}
            data-testid="help"
            data-help-id={shown.id}
            initialFocus={shown.isPinned}
            finalFocus={shown.anchor === null ? true : { current: shown.anchor }}
            tabIndex={-1}
          >
            <Popover.Title className={styles['title']}>{name}</Popover.Title>
            {/* For assistive technology alone while it is only a hint: read with the figure. */}
            <div id={id}>{shown.isPinned ? <HelpText id={shown.id} /> : <p>{what}</p>}</div>
            {!shown.isPinned && <p className={styles['more']}>{more}</p>}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
