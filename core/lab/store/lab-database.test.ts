import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';

import { LabDatabase, type AreaSchema } from './lab-database';

const folder = mkdtempSync(join(tmpdir(), 'sluice-lab-database-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FIRST = 'CREATE TABLE notes_all (text TEXT NOT NULL) STRICT';
const SECOND = "ALTER TABLE notes_all ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody'";
const notes = (...steps: string[]): AreaSchema => ({ area: 'notes', steps });
const others: AreaSchema = { area: 'others', steps: ['CREATE TABLE others_all (id INTEGER) STRICT'] };

function makeOther(path: string): void {
  const database = new Database(path);
  database.exec('CREATE TABLE theirs (id)');
  database.close();
}

describe('LabDatabase', () => {
  it('brings an older file up to date, area by area, and keeps what it holds', () => {
    const path = join(folder, 'older.db');
    const old = LabDatabase.open(path, [notes(FIRST)]);
    old.prepare('INSERT INTO notes_all VALUES (?)').run('kept');
    old.close();
    const database = LabDatabase.open(path, [notes(FIRST, SECOND), others]);
    expect(database.prepare('SELECT text, author FROM notes_all').raw().all()).toEqual([['kept', 'nobody']]);
    expect(database.prepare('SELECT * FROM others_all').all()).toEqual([]);
    database.close();
  });

  it('refuses what a newer Sluice wrote, without touching it', () => {
    const path = join(folder, 'newer.db');
    LabDatabase.open(path, [notes(FIRST, SECOND)]).close();
    const before = readFileSync(path);
    expect(() => LabDatabase.open(path, [others, notes(FIRST)])).toThrow(
      /"notes" is of version 2, and this Sluice knows versions up to 1/,
    );
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('makes all tables or none', () => {
    const path = join(folder, 'broken.db');
    expect(() => LabDatabase.open(path, [notes(FIRST, 'CREATE nonsense')])).toThrow(/nonsense/);
    const database = LabDatabase.open(path, [notes(FIRST)]);
    expect(database.prepare('SELECT * FROM notes_all').all()).toEqual([]);
    database.close();
  });

  it.each([
    ['text', (path: string) => writeFileSync(path, 'not a database, but long enough to look at'.repeat(40))],
    ['another database', makeOther],
  ])('refuses %s and names the file', (_what, make) => {
    const path = join(folder, `${_what}.db`);
    make(path);
    expect(() => LabDatabase.open(path, [notes(FIRST)])).toThrow(`${path}: expected a lab's database`);
  });

  it('takes back all of a transaction that fails', () => {
    const database = LabDatabase.open(':memory:', [notes(FIRST)]);
    const add = database.prepare('INSERT INTO notes_all VALUES (?)');
    expect(() =>
      database.transaction(() => {
        add.run('one');
        throw new Error('changed my mind');
      }),
    ).toThrow('changed my mind');
    expect(() => database.transaction(() => add.run([null]))).toThrow(/Can't write :memory:.*NOT NULL/);
    expect(database.prepare('SELECT * FROM notes_all').all()).toEqual([]);
    database.close();
  });

  it('says that the disk is full, and goes on once it is not', () => {
    const database = LabDatabase.open(join(folder, 'full.db'), [notes(FIRST)]);
    const add = database.prepare('INSERT INTO notes_all VALUES (?)');
    const addMany = (): void => {
      for (let note = 0; note < 100; note += 1) add.run('x'.repeat(3000));
    };
    database.execute('PRAGMA max_page_count = 20');
    expect(() => database.transaction(addMany)).toThrow(/Can't write .*full\.db: .*full.*Nothing of it/);
    expect(database.prepare('SELECT * FROM notes_all').all()).toEqual([]);
    database.execute('PRAGMA max_page_count = 1000');
    database.transaction(addMany);
    expect(database.prepare('SELECT * FROM notes_all').all()).toHaveLength(100);
    database.close();
  });
});
