export { ChartControls } from './chart-controls';
export type { ChartLine } from './chart-options';
export { DEFAULT_SETTINGS, gridColumns } from './chart-settings';
export type { ChartRange, ChartSettings } from './chart-settings';
export { MetricChart } from './metric-chart';
export { runToken } from './run-colours';
