import type { ComponentType } from 'react';

import { strings } from '../../strings';
import { BoardView } from './board';
import { DatasetsView } from './datasets';
import { ModelsView } from './models';
import { QueueView } from './queue';
import { RunsView } from './runs/runs-view';
import { SearchesView } from './searches';

const BOARD = strings.lab.board;
const DATASETS = strings.lab.datasets;
const MODELS = strings.lab.models;
const QUEUE = strings.lab.queue;
const SEARCHES = strings.lab.searches;
const STRINGS = strings.lab.frame;

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
