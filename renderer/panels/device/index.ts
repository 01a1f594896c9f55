export { devicePanel } from './definition';
