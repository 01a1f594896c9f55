import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { LabDatabase } from '../store/lab-database';
import { COMPETITIONS_SCHEMA, CompetitionStore } from './competition-store';
import { parseDefinition } from './definition';

let folder: string;
let database: LabDatabase;
let store: CompetitionStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-competitions-'));
  database = LabDatabase.open(join(folder, 'lab.db'), [COMPETITIONS_SCHEMA]);
  store = new CompetitionStore(database);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

const definition = (name: string) =>
  parseDefinition({
    ...{ name, dataset: { name: 'digits', version: 'latest' }, hiddenPath: 'hidden/a.csv' },
    ...{ evaluator: { command: ['node', 'score.mjs'] }, metric: { name: 'accuracy', direction: 'max' } },
    deadline: '2030-01-01T00:00:00Z',
  });

it('gives a definition back as it was', () => {
  store.addCompetition(definition('digits'), 'host', 7);
  expect(store.competition('digits')).toEqual({ ...definition('digits'), owner: 'host', createdMs: 7 });
});

it.each([
  ['cut short', '{"name": "dig', /JSON/],
  ['another document', '[]', /expected object/],
  [
    'a member of another kind',
    JSON.stringify({ ...definition('damaged'), submissionsPerDay: '3' }),
    /submissionsPerDay/,
  ],
  [
    'a path that leads out',
    JSON.stringify({ ...definition('damaged'), hiddenPath: '../../x.csv' }),
    /hiddenPath/,
  ],
])('a damaged definition (%s) is told by its name and place, and hides no other', (_what, text, found) => {
  for (const name of ['digits', 'damaged']) store.addCompetition(definition(name), 'host', 7);
  database.prepare('UPDATE competitions_all SET definition = ? WHERE name = ?').run(text, 'damaged');
  const told: string[] = [];
  expect(store.competitions(({ message }) => told.push(message)).map(({ name }) => name)).toEqual(['digits']);
  expect(told).toEqual([
    expect.stringMatching(/competition "damaged" in .*lab\.db is damaged .*Put back a copy/),
  ]);
  expect(told[0]).toMatch(found);
  expect(() => store.competition('damaged')).toThrow(
    expect.objectContaining({ code: 'corrupt-store' }) as Error,
  );
});
