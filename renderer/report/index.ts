export { SaveReport } from './save-report';
