export { SearchesView } from './searches-view';
