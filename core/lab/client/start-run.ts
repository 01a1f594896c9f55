import { MlflowHttp, RefusedError } from './mlflow-http';
import { TrackedRun } from './tracked-run';

export interface StartRunOptions {
  /** Default: MLFLOW_TRACKING_URI. */
  readonly url?: string;
  /** Default: MLFLOW_TRACKING_TOKEN, or none. */
  readonly token?: string;
  /** A run that is there; default: MLFLOW_RUN_ID, as the lab sets it, or a new run. */
  readonly runId?: string;
  /** Of a new run; made where there is none of that name. Default: MLFLOW_EXPERIMENT_NAME, or MLflow's default one. */
  readonly experiment?: string;
  /** Of a new run. */
  readonly name?: string;
  /** Milliseconds that what is logged may wait for more to be sent with it. Default 1000. */
  readonly flushMs?: number;
  /** Milliseconds that a server which is away is asked again before what waits for it fails. Default: 10 minutes. */
  readonly patienceMs?: number;
  /** Told of what was refused while nobody waited for it; default: it is written to stderr. */
  readonly onFault?: (error: Error) => void;
}

interface RunAnswer {
  readonly run: { readonly info: { readonly run_id: string; readonly artifact_uri: string } };
}

const FLUSH_MS = 1000;
const PATIENCE_MS = 600_000;
const NOT_FOUND = 404;

/**
 * The run that the lab started this program as, or a new one of a lab or an MLflow server.
 * @throws Error without an address, when the server stays away or refuses.
 */
export async function startRun(options: StartRunOptions = {}): Promise<TrackedRun> {
  const { env } = process;
  const url = options.url ?? env['MLFLOW_TRACKING_URI'];
  if (url === undefined || !/^https?:\/\//.test(url)) {
    throw new Error(
      `Where to log to: expected http://HOST:PORT in MLFLOW_TRACKING_URI or as url, found ${url ?? 'nothing'}.`,
    );
  }
  const http = new MlflowHttp({
    url: url.replace(/\/+$/, ''),
    token: options.token ?? env['MLFLOW_TRACKING_TOKEN'],
    patienceMs: options.patienceMs ?? PATIENCE_MS,
  });
  const runId = options.runId ?? env['MLFLOW_RUN_ID'];
  const answer =
    runId === undefined
      ? await createRun(http, options)
      : await http.json('GET', `mlflow/runs/get?run_id=${encodeURIComponent(runId)}`);
  const { info } = (answer as RunAnswer).run;
  return new TrackedRun(http, {
    runId: info.run_id,
    artifactUri: info.artifact_uri,
    flushMs: options.flushMs ?? FLUSH_MS,
    onFault: options.onFault ?? ((error) => process.stderr.write(`${error.message}\n`)),
  });
}

async function createRun(http: MlflowHttp, { experiment, name }: StartRunOptions): Promise<unknown> {
  const { MLFLOW_EXPERIMENT_NAME, MLFLOW_EXPERIMENT_ID = '0' } = process.env;
  const named = experiment ?? MLFLOW_EXPERIMENT_NAME;
  return http.json('POST', 'mlflow/runs/create', {
    experiment_id: named === undefined ? MLFLOW_EXPERIMENT_ID : await experimentId(http, named),
    start_time: Math.round(performance.timeOrigin + performance.now()),
    ...(name !== undefined && { run_name: name }),
  });
}

async function experimentId(http: MlflowHttp, name: string): Promise<string> {
  const query = new URLSearchParams({ experiment_name: name }).toString();
  const find = (): Promise<unknown> => http.json('GET', `mlflow/experiments/get-by-name?${query}`);
  try {
    return idIn(await find());
  } catch (error) {
    if (!(error instanceof RefusedError) || error.status !== NOT_FOUND) throw error;
  }
  try {
    return (
      (await http.json('POST', 'mlflow/experiments/create', { name })) as { readonly experiment_id: string }
    ).experiment_id;
  } catch (error) {
    // Another program made it meanwhile.
    if (error instanceof RefusedError) return idIn(await find());
    throw error;
  }
}

function idIn(answer: unknown): string {
  return (answer as { readonly experiment: { readonly experiment_id: string } }).experiment.experiment_id;
}
