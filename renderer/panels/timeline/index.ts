export { timelinePanel } from './definition';
