import type { LabArtifact } from '../../contract';
import type { LabRun } from '../../report';
import type { LabApi } from '../lab/connection/lab-api';
import { artifactsSchema, detailSchema, seriesSchema } from '../lab/requests/run-answers';

/** Of each series: enough for a page's width, with all peaks. */
const POINTS = 400;
/** Metrics that are drawn; programs that log more are asked for by others than a report's readers. */
const MOST_METRICS = 60;
const MOST_ARTIFACTS = 1000;

/** Everything that a report tells of a run of the lab. @throws SluiceError `not-found`, `unavailable`. */
export async function labRun(api: LabApi, run: string): Promise<LabRun> {
  const path = `rows/${encodeURIComponent(run)}`;
  const detail = await api.get(`${path}/detail`, detailSchema);
  const series: LabRun['series'][number][] = [];
  for (const key of Object.keys(detail.metrics).sort().slice(0, MOST_METRICS)) {
    const asked = new URLSearchParams({ runIds: detail.runId, key, points: String(POINTS) });
    series.push(...(await api.get(`rows/series?${asked.toString()}`, seriesSchema(key))));
  }
  return { detail, series, artifacts: await artifactsOf(api, path) };
}

/** Folders opened, in the order of their paths. */
async function artifactsOf(api: LabApi, path: string): Promise<readonly LabArtifact[]> {
  const all: LabArtifact[] = [];
  const folders = [''];
  for (
    let folder = folders.pop();
    folder !== undefined && all.length < MOST_ARTIFACTS;
    folder = folders.pop()
  ) {
    const asked = new URLSearchParams({ path: folder });
    for (const artifact of await api.get(`${path}/artifacts?${asked.toString()}`, artifactsSchema)) {
      all.push(artifact);
      if (artifact.isFolder) folders.push(artifact.path);
    }
  }
  return all.sort((a, b) => a.path.localeCompare(b.path));
}
