import { Popover } from '@base-ui/react/popover';
import { useEffect, useRef } from 'react';
import type { KeyboardEvent, ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../session';
import { strings } from '../strings';
import { Button, CloseIcon } from '../ui';
import { STEP_BODIES } from './step-body';
import { goToStep, leaveTour, TOUR_STEPS } from './tour-steps';
import type { TourStep } from './tour-steps';
import styles from './tour.module.css';
import { useTarget } from './use-target';

const WORDS = strings.tour;

function Callout({ step, index }: { readonly step: TourStep; readonly index: number }): ReactNode {
  const session = useSession();
  const target = useTarget(step.targets);
  const primary = useRef<HTMLButtonElement>(null);
  const Body = STEP_BODIES[step.id];
  const isThere = target !== null;
  useEffect(() => {
    if (isThere) primary.current?.focus({ preventScroll: true });
  }, [isThere]);
  useEffect(() => {
    // Left from wherever the focus is, unless something else is open that Escape closes first.
    const onKey = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if (document.querySelector('[role="dialog"]:not([data-tour-callout]), [role="menu"]') === null)
        leaveTour(session);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [session]);
  const onKey = (event: KeyboardEvent): void => {
    const to = { ArrowRight: index + 1, ArrowLeft: index - 1 }[event.key];
    // Steps that do something are gone on from by doing it.
    if (to === undefined || to < 0 || to >= TOUR_STEPS.length) return;
    if (to > index && (step.id === 'example' || step.id === 'run')) primary.current?.click();
    else goToStep(session, to);
    event.preventDefault();
  };
  return (
    <Popover.Root
      open
      onOpenChange={(_open, details) => {
        // It stays while the reader works beside it; only Escape and its button leave it.
        if (details.reason === 'escape-key') leaveTour(session);
        else details.cancel();
      }}
    >
      <Popover.Portal>
        <Popover.Positioner
          anchor={target}
          side="bottom"
          align="start"
          sideOffset={10}
          collisionPadding={12}
          className={styles['positioner']}
        >
          <Popover.Popup
            className={styles['callout']}
            data-tour-callout={step.id}
            data-testid="tour"
            initialFocus={primary}
            finalFocus={false}
            onKeyDown={onKey}
          >
            <div className={styles['head']}>
              <Popover.Title className={styles['title']}>{WORDS.steps[step.id].title}</Popover.Title>
              <Button
                variant="ghost"
                aria-label={WORDS.leave}
                title={WORDS.leave}
                onClick={() => leaveTour(session)}
              >
                <CloseIcon />
              </Button>
            </div>
            <div className={styles['body']}>
              <Body step={index} primary={primary} />
            </div>
            <div className={styles['foot']}>
              <span>{WORDS.at(index + 1, TOUR_STEPS.length)}</span>
              {index > 0 && (
                <Button variant="ghost" onClick={() => goToStep(session, index - 1)}>
                  {WORDS.back}
                </Button>
              )}
            </div>
            <p className={styles['keys']}>{WORDS.keys}</p>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

/** The step in view of a tour that is on. */
export function Tour(): ReactNode {
  const { layout } = useSession();
  const tour = useStore(layout, (state) => state.tour);
  const step = tour?.state === 'on' ? TOUR_STEPS[tour.step] : undefined;
  if (tour === undefined || step === undefined) return null;
  return <Callout key={step.id} step={step} index={tour.step} />;
}
