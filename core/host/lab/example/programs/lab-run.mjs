import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const { env } = process;
/** A lab that is started again is back by then. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 200;

/**
 * The run that this program is, by MLflow's REST, as the environment says. Outside of a lab nothing is logged, and what
 * would be is printed all the same.
 */
export class LabRun {
  url = env.MLFLOW_TRACKING_URI;
  id = env.MLFLOW_RUN_ID;
  headers = env.MLFLOW_TRACKING_TOKEN ? { authorization: `Bearer ${env.MLFLOW_TRACKING_TOKEN}` } : {};

  async logParams(params) {
    const pairs = Object.entries(params).map(([key, value]) => ({ key, value: String(value) }));
    await this.log({ params: pairs });
  }

  async logMetrics(metrics, step) {
    const timestamp = Date.now();
    const points = Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp, step }));
    await this.log({ metrics: points });
  }

  /** @param path below the run's artifacts, `checkpoints/5.json`. @param body text or bytes. */
  async saveArtifact(path, body) {
    if (!this.id) return;
    this.root ??= await this.artifactRoot();
    await this.send('PUT', `mlflow-artifacts/artifacts/${this.root}/${path}`, body);
  }

  async log(batch) {
    if (!this.id) return;
    await this.send('POST', 'mlflow/runs/log-batch', JSON.stringify({ run_id: this.id, ...batch }));
  }

  async artifactRoot() {
    const answer = await this.send('GET', `mlflow/runs/get?run_id=${this.id}`);
    const { run } = await answer.json();
    return run.info.artifact_uri.replace(/^mlflow-artifacts:\/+/, '');
  }

  async send(method, path, body) {
    const endMs = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await fetch(`${this.url}/api/2.0/${path}`, {
        method,
        headers: this.headers,
        body,
      }).catch((error) => error);
      if (answer.ok) return answer;
      const isPassing = answer instanceof Error || answer.status >= 500;
      if (!isPassing || Date.now() > endMs) {
        const said = answer instanceof Error ? answer.message : `${answer.status} ${await answer.text()}`;
        throw new Error(`${method} ${path}: ${said}`);
      }
      await pause(RETRY_MS);
    }
  }
}

/** What an earlier run left to go on from; undefined: it begins anew. */
export function readCheckpoint() {
  return env.SLUICE_CHECKPOINT ? JSON.parse(readFileSync(env.SLUICE_CHECKPOINT, 'utf8')) : undefined;
}

/**
 * `--lr 0.1 --hidden 16` over `defaults`, whose kinds say which are numbers. `--resource N`, as searches give it, is
 * `--epochs N`.
 */
export function readArguments(defaults, given = process.argv.slice(2)) {
  const options = { ...defaults };
  for (let at = 0; at < given.length; at += 2) {
    const name = given[at].replace(/^--/, '').replace(/^resource$/, 'epochs');
    const text = given[at + 1];
    if (!given[at].startsWith('--') || !Object.hasOwn(defaults, name)) {
      fail(
        `${given[at]}: expected one of ${Object.keys(defaults)
          .map((known) => `--${known}`)
          .join(', ')}`,
      );
    }
    const value = typeof defaults[name] === 'number' ? Number(text) : text;
    if (text === undefined || Number.isNaN(value)) fail(`${given[at]}: expected a number, found ${text}`);
    options[name] = value;
  }
  return options;
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
