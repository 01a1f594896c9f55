export { EngineField } from './launch-fields';
export { LaunchForm } from './launch-form';
export type { LaunchFormProps } from './launch-form';
export { readResources, resourceDraftOf } from './resource-draft';
export type { ResourceDraft } from './resource-draft';
