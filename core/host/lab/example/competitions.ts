const TEST = {
  testPath: 'test/',
  inference: { args: ['--predict'], cpus: 1, memoryBytes: 2 ** 29, limitMinutes: 10 },
  submissionsPerDay: 100,
};

/** What the example's dataset is asked about, as `POST competitions` takes it. */
export function exampleCompetitions(dataset: string) {
  const of = { ...TEST, dataset: { name: dataset, version: 'latest' } };
  return [
    {
      ...of,
      name: 'box-state',
      title: 'Which state a machine is in',
      description:
        'normal, bearing, imbalance or clogged, by a window of vibration, current and temperature.',
      hiddenPath: 'hidden/state.csv',
      evaluator: 'accuracy',
    },
    {
      ...of,
      name: 'box-heat',
      title: 'How hot it will be',
      description: 'Its temperature in °C, eight minutes after the window.',
      hiddenPath: 'hidden/heat.csv',
      evaluator: 'rmse',
    },
    {
      ...of,
      name: 'box-events',
      title: 'What the box logs next',
      description: 'The next eight events of a log, by the 32 before.',
      hiddenPath: 'hidden/events.jsonl',
      evaluator: 'token-accuracy',
    },
  ];
}
