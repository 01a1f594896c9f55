export { Button } from './button';
export { faded, mixed } from './canvas-color';
export { CHART_FILL, ChartFrame } from './chart-frame';
export type { ChartTable } from './chart-table';
export { EmptyState } from './empty-state';
export { FactList } from './fact-list';
export type { Fact } from './fact-list';
export { FailureNote } from './failure-note';
export { SelectField, TextField } from './field';
export {
  CloseIcon,
  DecisionsIcon,
  DeviceIcon,
  EndpointsIcon,
  FleetIcon,
  LabIcon,
  LanguageIcon,
  ModelsIcon,
  PencilIcon,
  RunIcon,
  ThemeIcon,
  TimelineIcon,
} from './icons';
export { FieldLine } from './field-line';
export { Help, HelpedLabel } from './help';
export type { HelpId } from './help';
export { Inspector } from './inspector';
export { LazyBody } from './lazy-body';
export { lazyView, loadWhenIdle } from './lazy-view';
export type { LazyView } from './lazy-view';
export { NumberField } from './number-field';
export { Plot } from './plot';
export type { PlotOptions, Token } from './plot';
export { ProgressBar } from './progress-bar';
export { ProgressRow } from './progress-row';
export { RECORD_TABLE } from './record-table';
export { onRowKey } from './row-keys';
export { SegmentBar } from './segment-bar';
export { Segmented } from './segmented';
export { UndoStrip } from './undo-strip';
export { VirtualTable } from './virtual-table';
export type { TableColumn, TableOrder } from './virtual-table';
export { useSize } from './use-size';
export type { Size } from './use-size';
export { useNow, useNowText } from './use-now';
