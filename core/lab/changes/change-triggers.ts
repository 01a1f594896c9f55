import type { LabPart } from '../../contract';

/** By table: what of the lab it is. */
const PARTS: Readonly<Record<string, LabPart>> = {
  jobs_budgets: 'queue',
  datasets_sets: 'datasets',
  datasets_tags: 'datasets',
  datasets_versions: 'datasets',
  competitions_all: 'competitions',
  competitions_submissions: 'competitions',
  registry_models: 'models',
  registry_versions: 'models',
  registry_model_tags: 'models',
  registry_version_tags: 'models',
  registry_aliases: 'models',
  search_searches: 'searches',
  search_events: 'searches',
  trials_plans: 'searches',
  trials_runs: 'searches',
};

/** By table: the number of the run that a row of it belongs to; `ROW` is the row. Metrics are in the journal first. */
const RUNS: Readonly<Record<string, string>> = {
  tracking_runs: 'ROW.number',
  tracking_params: 'ROW.run',
  tracking_tags: 'ROW.run',
  tracking_journal: 'ROW.run',
  runs_launched: '(SELECT number FROM tracking_runs WHERE run_id = ROW.run_id)',
  trials_runs: '(SELECT number FROM tracking_runs WHERE run_id = ROW.run_id)',
};

/** What the journal loses is in the blocks. */
const NO_DELETE: ReadonlySet<string> = new Set(['tracking_journal']);

/** Runs show their experiment's name. */
const OF_EXPERIMENTS = `
  CREATE TEMP TRIGGER lab_experiments AFTER UPDATE OF name ON main.tracking_experiments BEGIN
    DELETE FROM lab_changes WHERE what IN (SELECT number FROM tracking_runs WHERE experiment = NEW.id);
    INSERT INTO lab_changes (what) SELECT number FROM tracking_runs WHERE experiment = NEW.id;
  END;`;

function triggersOf(table: string, name: string, whatOf: (row: 'NEW' | 'OLD') => string): string {
  const body = (row: 'NEW' | 'OLD'): string =>
    // Not REPLACE: within triggers the conflict clause of the statement that set them off counts instead.
    `BEGIN DELETE FROM lab_changes WHERE what = ${whatOf(row)};
     INSERT INTO lab_changes (what) SELECT ${whatOf(row)} WHERE ${whatOf(row)} IS NOT NULL; END;`;
  return (['INSERT', 'UPDATE', 'DELETE'] as const)
    .filter((kind) => kind !== 'DELETE' || !NO_DELETE.has(table))
    .map((kind) => {
      const row = kind === 'DELETE' ? 'OLD' : 'NEW';
      return `CREATE TEMP TRIGGER ${name}_${kind.toLowerCase()} AFTER ${kind} ON main.${table} ${body(row)}`;
    })
    .join('\n');
}

/**
 * Notes with each row of the lab that is written what it is part of: one row for each, whose sequence is that of its last
 * change. Of this connection and in memory alone. `what` is a part's name or a run's number; NUMERIC makes that an integer
 * again where it was bound, which libsql does as a floating-point number.
 */
export const TRIGGERS = [
  'PRAGMA temp_store = MEMORY;',
  'CREATE TEMP TABLE lab_changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, what NUMERIC NOT NULL UNIQUE);',
  ...Object.entries(PARTS).map(([table, part]) => triggersOf(table, `lab_part_${table}`, () => `'${part}'`)),
  ...Object.entries(RUNS).map(([table, run]) =>
    triggersOf(table, `lab_run_${table}`, (row) => run.replaceAll('ROW', row)),
  ),
  OF_EXPERIMENTS,
].join('\n');
