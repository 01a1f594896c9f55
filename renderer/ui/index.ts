export { Button } from './button';
export { EmptyState } from './empty-state';
export { FailureNote } from './failure-note';
export { SelectField, TextField } from './field';
export { CloseIcon, DeviceIcon, ModelsIcon, RunIcon, ThemeIcon, TimelineIcon } from './icons';
export { ProgressBar } from './progress-bar';
export { Segmented } from './segmented';
