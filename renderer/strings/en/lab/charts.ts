/** The words of metric plots. */
export const charts = {
  atStep: (step: number): string => `step ${step}`,
  controls: 'How plots are drawn',
  smoothing: 'Smoothing',
  smoothingHint:
    'Exponential moving average without its bias towards the start; the line as logged stays behind it.',
  x: 'Horizontal axis',
  xs: {
    step: { label: 'Step', hint: 'As the program counted' },
    relative: { label: 'Relative', hint: 'Time since the first point of each run' },
    wall: { label: 'Wall', hint: 'Time of day' },
  },
  log: 'Log y',
  logHint: 'Logarithmic; what is not above zero is left out',
  whole: 'Whole range',
  wholeHint: 'A drag along a plot zooms into all of them; a double click or 0 goes back',
  chart: (metric: string) => `${metric}: arrows move along, plus and minus zoom, 0 shows all`,
  run: 'Run',
  step: 'Step',
  time: 'Time',
  value: 'Value',
  none: 'No metric was logged yet.',
  failed: (metric: string) => `${metric} can’t be shown`,
  waiting: 'Reading the points…',
  last: (value: string, step: string) => `${value} at step ${step}`,
  range: (low: string, high: string) => `${low} … ${high}`,
  hidden: 'No run is shown: choose one in the legend.',
};
