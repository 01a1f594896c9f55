import { z } from 'zod';

import { SluiceError } from '../../contract';
import { LabTarget } from './lab-target';
import { MlflowApi } from './mlflow-api';
import { MlflowTarget } from './mlflow-target';
import type { RemoteHttp } from './remote-http';
import type { Remote, RemoteKind } from './remote-types';
import { aboutSchema } from './sync-protocol';
import type { SyncTarget } from './sync-target';

const listSchema = z.object({ experiments: z.array(z.unknown()).optional() });
const serverInfoSchema = z.object({ store_type: z.string() });
/** What MLflow calls the stores that have a unique key of a point (mlflow/store/tracking/dbmodels/models.py, metric_pk). */
const SQL_STORES = /^sql/i;

/** What is at a remote's URL. */
export interface Found {
  readonly kind: RemoteKind;
  /** Of a lab. */
  readonly labId: string | undefined;
  /** Of an MLflow server: a point that is sent twice is there once. */
  readonly keepsPointsOnce: boolean;
}

/**
 * Looks what a remote is.
 * @throws SluiceError `bad-input` when it is neither a lab nor an MLflow server, and as `RemoteHttp.get`.
 */
export async function lookAtRemote(http: RemoteHttp): Promise<Found> {
  const about = aboutSchema.safeParse(await answerOf(http, '/api/sluice/sync/about'));
  if (about.success) return { kind: 'lab', labId: about.data.labId, keepsPointsOnce: true };
  const list = listSchema.safeParse(await answerOf(http, '/api/2.0/mlflow/experiments/search?max_results=1'));
  if (!list.success) {
    throw new SluiceError(
      'bad-input',
      `${http.url}: expected a lab or an MLflow server, found something else. Check the URL: "/api/2.0/mlflow" follows it.`,
      { url: http.url },
    );
  }
  const info = serverInfoSchema.safeParse(await answerOf(http, '/api/3.0/mlflow/server-info'));
  return {
    kind: 'mlflow',
    labId: undefined,
    keepsPointsOnce: info.success && SQL_STORES.test(info.data.store_type),
  };
}

/**
 * @param found what is there now. @param remote what was there before.
 * @throws SluiceError `conflict` when that is another lab: positions are about the one that was added.
 */
export function targetOf(
  http: RemoteHttp,
  found: Found,
  remote: Remote,
  own: { readonly labId: string; readonly originOf: (runId: string) => string },
): SyncTarget {
  const { name, url } = remote;
  if (found.labId === own.labId) {
    throw new SluiceError('bad-input', `${url} is this lab itself. Remove the remote ${name}.`, { url });
  }
  if (remote.kind !== undefined && (remote.kind !== found.kind || remote.labId !== found.labId)) {
    throw new SluiceError(
      'conflict',
      `${url} is not what the remote ${name} was when it was added, so what it has is not known. ` +
        'Remove the remote and add it again: then all is sent.',
      { url },
    );
  }
  if (found.kind === 'lab') return new LabTarget(http, own.labId, own.originOf);
  return new MlflowTarget(new MlflowApi(http), found.keepsPointsOnce);
}

/** Nothing where there is no such operation, as servers of other kinds say it. */
async function answerOf(http: RemoteHttp, path: string): Promise<unknown> {
  try {
    return await http.get(path);
  } catch (thrown) {
    const { status } = SluiceError.from(thrown).details;
    const isJson = !(thrown instanceof SluiceError && thrown.code === 'bad-input' && status === undefined);
    if (!isJson || status === 404 || status === 405 || status === 501) return undefined;
    throw thrown;
  }
}
