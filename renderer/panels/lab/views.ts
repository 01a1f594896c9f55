import { strings } from '../../strings';
import { lazyView } from '../../ui';
import type { LazyView } from '../../ui';

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
  readonly view: LazyView;
}

/** The panel's views in the tabs' order. A view is one folder here and one line below. */
export const LAB_VIEWS: readonly LabViewDefinition[] = [
  {
    id: 'runs',
    title: STRINGS.runs,
    view: lazyView(() => import('./runs/runs-view').then(({ RunsView }) => RunsView)),
  },
  {
    id: 'searches',
    title: SEARCHES.tab,
    view: lazyView(() => import('./searches').then(({ SearchesView }) => SearchesView)),
  },
  {
    id: 'board',
    title: BOARD.tab,
    view: lazyView(() => import('./board').then(({ BoardView }) => BoardView)),
  },
  {
    id: 'datasets',
    title: DATASETS.tab,
    view: lazyView(() => import('./datasets').then(({ DatasetsView }) => DatasetsView)),
  },
  {
    id: 'models',
    title: MODELS.tab,
    view: lazyView(() => import('./models').then(({ ModelsView }) => ModelsView)),
  },
  {
    id: 'queue',
    title: QUEUE.tab,
    view: lazyView(() => import('./queue').then(({ QueueView }) => QueueView)),
  },
];
