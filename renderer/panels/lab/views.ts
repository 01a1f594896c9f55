import type { ComponentType } from 'react';

import { RunsView } from './runs/runs-view';
import { STRINGS } from './strings';

export interface LabViewDefinition {
  /** What `LabStore.view` is while it shows. */
  readonly id: string;
  /** The tab's label. */
  readonly title: string;
  /** Fills the panel below the tabs (a flex row). It is in the document only while it shows, and the lab is there. */
  readonly View: ComponentType;
}

/** The panel's views in the tabs' order. A view is one folder here, its import above and one line below. */
export const LAB_VIEWS: readonly LabViewDefinition[] = [{ id: 'runs', title: STRINGS.runs, View: RunsView }];
