import type { LabDatabase } from '../store/lab-database';
import { inView } from '../tracking/rows';
import { search } from '../tracking/search/search';
import { RUN_TARGET } from '../tracking/search/search-target';

const RUNS_PER_QUERY = 50_000;

/**
 * Ids of the runs that a filter describes, deleted ones left out; metrics as they were settled last.
 * @throws SluiceError `bad-input` that says where in the filter.
 */
export function findRunIds(database: LabDatabase, filter: string): readonly string[] {
  const read = database
    .prepare('SELECT run_id FROM tracking_runs WHERE number IN (SELECT value FROM json_each(?))')
    .raw();
  const ids: string[] = [];
  let pageToken: string | undefined;
  do {
    const query = { filter, maxResults: RUNS_PER_QUERY, pageToken };
    const { numbers, nextPageToken } = search(database, RUN_TARGET, [inView('ACTIVE_ONLY')], query);
    for (const [id] of read.all([JSON.stringify(numbers)]) as [string][]) ids.push(id);
    pageToken = nextPageToken;
  } while (pageToken !== undefined);
  return ids;
}
