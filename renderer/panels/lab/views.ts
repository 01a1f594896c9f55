import type { ComponentType } from 'react';

import { BoardView } from './board';
import { STRINGS as BOARD } from './board/strings';
import { DatasetsView } from './datasets';
import { STRINGS as DATASETS } from './datasets/strings';
import { ModelsView } from './models';
import { STRINGS as MODELS } from './models/strings';
import { QueueView } from './queue';
import { STRINGS as QUEUE } from './queue/strings';
import { RunsView } from './runs/runs-view';
import { SearchesView } from './searches';
import { STRINGS as SEARCHES } from './searches/strings';
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
export const LAB_VIEWS: readonly LabViewDefinition[] = [
  { id: 'runs', title: STRINGS.runs, View: RunsView },
  { id: 'searches', title: SEARCHES.tab, View: SearchesView },
  { id: 'board', title: BOARD.tab, View: BoardView },
  { id: 'datasets', title: DATASETS.tab, View: DatasetsView },
  { id: 'models', title: MODELS.tab, View: ModelsView },
  { id: 'queue', title: QUEUE.tab, View: QueueView },
];
