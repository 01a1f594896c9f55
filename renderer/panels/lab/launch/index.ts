export { LaunchForm } from './launch-form';
export type { LaunchFormProps } from './launch-form';
