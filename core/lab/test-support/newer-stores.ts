import { join } from 'node:path';

import Database from 'libsql';

import { NEWER, type NewerStore } from '../../contract/test-support/newer-store';
import { LabDatabase } from '../store/lab-database';

export const NEWER_LAB: readonly NewerStore[] = [
  {
    name: "an area of the lab's database",
    fixture: (folder) => {
      const path = join(folder, 'lab.db');
      const made = new Database(path);
      made.exec(
        `CREATE TABLE area_versions (area TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         INSERT INTO area_versions VALUES ('runs', ${NEWER})`,
      );
      made.close();
      return path;
    },
    use: (path) => LabDatabase.open(path, [{ area: 'runs', steps: ['CREATE TABLE runs_all (x)'] }]),
  },
];
