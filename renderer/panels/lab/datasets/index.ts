export { DatasetsView } from './datasets-view';
