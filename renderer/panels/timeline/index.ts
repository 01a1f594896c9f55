export { timelinePanel } from './definition';
export { showDecision } from './timeline-store';
