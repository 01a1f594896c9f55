import { gaussian, type Random } from '../../../base';

/** What a machine can be in. */
const STATES = ['normal', 'bearing', 'imbalance', 'clogged'] as const;
type State = (typeof STATES)[number];

const TRAINING_ROWS = 1600;
const TEST_ROWS = 400;
const TRAINING_LOGS = 240;
const TEST_LOGS = 120;
/** Readings of vibration within a window; of current and temperature there is one a minute. */
const VIBRATIONS = 32;
const MINUTES = 8;
/** Of an event log, and how much of it a test shows. */
const LOG_EVENTS = 40;
const SHOWN_EVENTS = 32;

interface Window {
  readonly readings: readonly number[];
  readonly state: State;
  /** °C, after as many minutes more. */
  readonly heat: number;
}

/**
 * Readings of an edge box beside machines, and its own logs: by path, what a dataset with a hidden part is made of. The
 * same random numbers give the same bytes.
 */
export function sensorData(random: Random): ReadonlyMap<string, string> {
  const training = windows(random, TRAINING_ROWS, 'w');
  const test = windows(random, TEST_ROWS, 't');
  const trainingLogs = logs(random, TRAINING_LOGS, 'l');
  const testLogs = logs(random, TEST_LOGS, 'm');
  return new Map([
    ['train/readings.csv', table(training, ({ state, heat }) => [state, heat.toFixed(2)], ['state', 'heat'])],
    ['train/events.jsonl', lines(trainingLogs.map(([id, events]) => ({ id, events })))],
    ['test/readings.csv', table(test, () => [], [])],
    [
      'test/events.jsonl',
      lines(testLogs.map(([id, events]) => ({ id, events: events.slice(0, SHOWN_EVENTS) }))),
    ],
    ['hidden/state.csv', answers(test, ({ state }) => state)],
    ['hidden/heat.csv', answers(test, ({ heat }) => heat.toFixed(2))],
    [
      'hidden/events.jsonl',
      lines(testLogs.map(([id, events]) => ({ id, answer: events.slice(SHOWN_EVENTS) }))),
    ],
  ]);
}

function windows(random: Random, count: number, prefix: string): readonly (readonly [string, Window])[] {
  return Array.from({ length: count }, (_, at) => [`${prefix}${at}`, window(random)]);
}

function window(random: Random): Window {
  const state = STATES[Math.floor(random() * STATES.length)]!;
  const load = between(random, 1, 4) * (state === 'clogged' ? 1.15 : 1);
  const currents = Array.from({ length: MINUTES }, () => load + 0.1 * gaussian(random));
  const ambient = between(random, 15, 30);
  const temperatures = heating(random, state, load, ambient);
  return {
    readings: [
      ...vibration(random, state),
      ...currents,
      ...temperatures.slice(0, MINUTES).map((degrees) => degrees + 0.2 * gaussian(random)),
    ],
    state,
    heat: temperatures.at(-1)!,
  };
}

/** A rotor's hum at an unknown phase; a bad bearing rings above it, one out of balance hums louder. */
function vibration(random: Random, state: State): readonly number[] {
  const hum = state === 'imbalance' ? between(random, 0.75, 1.1) : between(random, 0.3, 0.6);
  const ring = state === 'bearing' ? between(random, 0.3, 0.8) : 0;
  const [humPhase, ringPhase] = [random() * 2 * Math.PI, random() * 2 * Math.PI];
  return Array.from({ length: VIBRATIONS }, (_, at) => {
    const turn = (2 * Math.PI * at) / VIBRATIONS;
    return (
      hum * Math.sin(3 * turn + humPhase) + ring * Math.sin(11 * turn + ringPhase) + 0.15 * gaussian(random)
    );
  });
}

/** Minute by minute: current heats by its square, the difference to the room cools, less where dust is in the way. */
function heating(random: Random, state: State, load: number, ambient: number): readonly number[] {
  const cooling = state === 'clogged' ? 0.05 : 0.1;
  const temperatures = [between(random, 30, 60)];
  while (temperatures.length < 2 * MINUTES) {
    const now = temperatures.at(-1)!;
    temperatures.push(now + 0.35 * load ** 2 - cooling * (now - ambient) + 0.1 * gaussian(random));
  }
  return temperatures;
}

function logs(
  random: Random,
  count: number,
  prefix: string,
): readonly (readonly [string, readonly string[]])[] {
  return Array.from({ length: count }, (_, at) => [`${prefix}${at}`, eventLog(random)]);
}

/** Each box senses two to four times before it sends, and tries again what failed. */
function eventLog(random: Random): readonly string[] {
  const senses = 2 + Math.floor(random() * 3);
  const events: string[] = [];
  while (events.length < 2 * LOG_EVENTS) {
    events.push(...Array<string>(senses).fill('sense'), 'pack', 'send');
    while (random() < 0.1) events.push('fail', 'retry', 'send');
    events.push('ack', 'sleep');
  }
  // A log is cut out anywhere.
  const from = Math.floor(random() * LOG_EVENTS);
  return events.slice(from, from + LOG_EVENTS);
}

function table(
  rows: readonly (readonly [string, Window])[],
  labelsOf: (row: Window) => readonly string[],
  labels: readonly string[],
): string {
  const columns = [
    ...Array.from({ length: VIBRATIONS }, (_, at) => `vibration_${at}`),
    ...Array.from({ length: MINUTES }, (_, at) => `current_${at}`),
    ...Array.from({ length: MINUTES }, (_, at) => `temperature_${at}`),
  ];
  return textOf(
    ['id', ...columns, ...labels],
    rows.map(([id, row]) => [id, ...row.readings.map((reading) => reading.toFixed(3)), ...labelsOf(row)]),
  );
}

function answers(rows: readonly (readonly [string, Window])[], answerOf: (row: Window) => string): string {
  return textOf(
    ['id', 'answer'],
    rows.map(([id, row]) => [id, answerOf(row)]),
  );
}

function textOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, ...rows].map((cells) => `${cells.join(',')}\n`).join('');
}

function lines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function between(random: Random, least: number, most: number): number {
  return least + random() * (most - least);
}
