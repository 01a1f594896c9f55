export { BoardView } from './board-view';
