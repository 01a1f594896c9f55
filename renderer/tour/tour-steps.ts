import type { Session } from '../session';
import type { strings } from '../strings';

export type StepId = keyof typeof strings.tour.steps;

export interface TourStep {
  readonly id: StepId;
  /** Panel the step happens in. */
  readonly panel: string;
  /** What the callout points at, the first that is there. */
  readonly targets: readonly string[];
}

const RUN_BUTTON = '[data-testid="panel-run"] [data-tour="run"]';

/** The one panel with the offer to take it: where it begins. */
export const OFFERED_IN = 'run';

/** From an empty library to a text that was read, and why it took as long. */
export const TOUR_STEPS: readonly TourStep[] = [
  { id: 'example', panel: 'run', targets: ['[data-tour="import"]', RUN_BUTTON] },
  { id: 'run', panel: 'run', targets: [RUN_BUTTON] },
  { id: 'text', panel: 'run', targets: ['[data-testid="run-result"]', '[data-testid="run-state"]'] },
  { id: 'curve', panel: 'run', targets: ['[data-testid="run-curve"]'] },
  {
    id: 'timeline',
    panel: 'timeline',
    targets: ['[data-testid="timeline-sums"]', '[data-testid="panel-timeline"]'],
  },
  { id: 'end', panel: 'run', targets: ['[data-testid="run-result"]', '[data-testid="panel-run"]'] },
];

/** Begins the tour, or takes it up where it was left. */
export function startTour({ layout }: Session): void {
  const { tour, actions } = layout.getState();
  const step = tour?.state === 'left' ? Math.min(tour.step, TOUR_STEPS.length - 1) : 0;
  actions.setTour({ state: 'on', step });
  actions.setPanel(TOUR_STEPS[step]?.panel ?? 'run');
}

/** Goes to a step; behind the last the tour is done. */
export function goToStep({ layout }: Session, step: number): void {
  const { actions } = layout.getState();
  const next = TOUR_STEPS[step];
  if (next === undefined) {
    actions.setTour({ state: 'done', step: 0 });
    return;
  }
  actions.setTour({ state: 'on', step });
  actions.setPanel(next.panel);
}

export function leaveTour({ layout }: Session): void {
  const { tour, actions } = layout.getState();
  actions.setTour({ state: 'left', step: tour?.step ?? 0 });
}
