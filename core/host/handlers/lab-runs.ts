import { z } from 'zod';

import { SluiceError } from '../../contract';
import type { LabRunRequests, LabRunRow } from '../../contract';
import type { LabApi } from '../lab/connection/lab-api';
import { apiOf } from '../lab/connection/lab-link';
import {
  artifactSchema,
  artifactsSchema,
  changesSchema,
  detailSchema,
  differencesSchema,
  idsSchema,
  logSchema,
  rowSchema,
  seriesSchema,
} from '../lab/requests/run-answers';
import { DEFAULT_RESOURCES, launchOf, planOf } from '../lab/requests/run-plan';
import type { Handlers } from './handler';

const launchedSchema = z.object({ runId: z.string() });

export const labRunHandlers: Handlers<keyof LabRunRequests> = {
  'lab.runs': async ({ since }, services) =>
    (await apiOf(services)).get(`rows${query({ since })}`, changesSchema),
  'lab.findRuns': async ({ filter }, services) =>
    (await apiOf(services)).get(`rows/find${query({ filter })}`, idsSchema),
  'lab.run': async ({ run }, services) => (await apiOf(services)).get(`${rowPath(run)}/detail`, detailSchema),
  'lab.series': async ({ runIds, key, points, fromStep, toStep }, services) => {
    const asked = {
      runIds: runIds.join(','),
      key,
      points,
      fromStep: fromStep === undefined ? undefined : Math.floor(fromStep),
      toStep: toStep === undefined ? undefined : Math.ceil(toStep),
    };
    return (await apiOf(services)).get(`rows/series${query(asked)}`, seriesSchema(key));
  },
  'lab.log': async ({ run, offset, waitMs }, services) =>
    (await apiOf(services)).get(`${rowPath(run)}/log${query({ offset, waitMs })}`, logSchema),
  'lab.artifacts': async ({ run, path }, services) =>
    (await apiOf(services)).get(`${rowPath(run)}/artifacts${query({ path })}`, artifactsSchema),
  'lab.artifact': async ({ run, path, mostBytes }, services) =>
    (await apiOf(services)).get(`${rowPath(run)}/artifact${query({ path, mostBytes })}`, artifactSchema),
  'lab.diff': async ({ from, to }, services) =>
    (await apiOf(services)).get(`rows/diff${query({ from, to })}`, differencesSchema),
  'lab.launch': async (launch, services) => startedRow(await apiOf(services), 'runs', launchOf(launch)),
  'lab.fork': async ({ run, checkpoint, ...plan }, services) => {
    const api = await apiOf(services);
    const { resources } = await api.get(`${rowPath(run)}/detail`, detailSchema);
    const body = {
      ...planOf(plan, resources ?? DEFAULT_RESOURCES),
      ...(checkpoint !== undefined && { checkpoint }),
    };
    return startedRow(api, `${runPath(run)}/fork`, body);
  },
  'lab.stop': async ({ run, graceMs }, services) =>
    startedRow(await apiOf(services), `${runPath(run)}/stop`, graceMs === undefined ? {} : { graceMs }),
  'lab.resume': async ({ run }, services) => startedRow(await apiOf(services), `${runPath(run)}/resume`, {}),
  'lab.remove': async ({ runs }, services) => {
    await removeRuns(await apiOf(services), runs);
    return {};
  },
};

/** Asks for something that is done to a run. @returns the run as it is then. */
async function startedRow(api: LabApi, path: string, body: object): Promise<LabRunRow> {
  const { runId } = await api.send('POST', path, body, launchedSchema);
  return api.get(rowPath(runId), rowSchema);
}

/** Those that can be; @throws SluiceError about the others. */
async function removeRuns(api: LabApi, runs: readonly string[]): Promise<void> {
  const faults: SluiceError[] = [];
  for (const run of runs) {
    await api
      .send('DELETE', rowPath(run), undefined, z.object({}))
      .catch((thrown: unknown) => faults.push(SluiceError.from(thrown)));
  }
  const [first] = faults;
  if (!first) return;
  throw faults.length === 1
    ? first
    : new SluiceError(first.code, faults.map(({ message }) => message).join(' '));
}

function runPath(run: string): string {
  return `runs/${encodeURIComponent(run)}`;
}

function rowPath(run: string): string {
  return `rows/${encodeURIComponent(run)}`;
}

/** `?a=1&b=2` of what is there. */
function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
