import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { DEFAULT_LIMITS } from '../../../../serving';
import { LabApi } from '../../connection/lab-api';
import { serveLab } from '../../connection/open-lab';

type Files = Readonly<Record<string, string | Buffer>>;

/** A lab in this process, with models in its registry as MLflow's clients put them there. */
export class RegisteredLab {
  private constructor(
    readonly api: LabApi,
    readonly close: () => Promise<void>,
  ) {}

  static async start(folder: string): Promise<RegisteredLab> {
    mkdirSync(folder, { recursive: true });
    const serving = { host: '127.0.0.1', port: 0, limits: DEFAULT_LIMITS };
    const { address, close } = await serveLab({ folder, onFault: () => undefined }, serving);
    return new RegisteredLab(new LabApi(address.url, address.token, 'ann'), close);
  }

  /** Logs files as a run's artifacts and registers `path` among them. @returns the version. */
  async register(model: string, files: Files, path: string): Promise<number> {
    const { run } = (await this.post('runs/create', { experiment_id: '0' })) as {
      run: { info: { run_id: string; artifact_uri: string } };
    };
    const place = run.info.artifact_uri.replace('mlflow-artifacts:/', '');
    for (const [name, body] of Object.entries(files)) {
      await this.call('PUT', `/api/2.0/mlflow-artifacts/artifacts/${place}/${name}`, body);
    }
    await this.post('registered-models/create', { name: model }).catch(() => undefined);
    const { model_version: made } = (await this.post('model-versions/create', {
      name: model,
      source: `runs:/${run.info.run_id}/${path}`,
      run_id: run.info.run_id,
    })) as { model_version: { version: string } };
    return Number(made.version);
  }

  /** A model that is one file. */
  async registerFile(model: string, path: string): Promise<number> {
    return this.register(model, { 'export/model.onnx': await readFile(path) }, 'export/model.onnx');
  }

  setAlias(model: string, alias: string, version: number): Promise<unknown> {
    return this.post('registered-models/alias', { name: model, alias, version: String(version) });
  }

  /** Of a version. */
  async tags(model: string, version: number): Promise<Readonly<Record<string, string>>> {
    const query = new URLSearchParams({ name: model, version: String(version) });
    const { model_version: found } = (await this.call(
      'GET',
      `/api/2.0/mlflow/model-versions/get?${query.toString()}`,
    )) as {
      model_version: { tags: readonly { key: string; value: string }[] };
    };
    return Object.fromEntries(found.tags.map(({ key, value }) => [key, value]));
  }

  private post(path: string, body: object): Promise<unknown> {
    return this.call('POST', `/api/2.0/mlflow/${path}`, JSON.stringify(body));
  }

  private async call(method: string, path: string, body?: string | Buffer): Promise<unknown> {
    const sent = typeof body === 'object' ? new Uint8Array(body) : body;
    const headers = {
      ...this.api.headers,
      ...(typeof body === 'string' && { 'content-type': 'application/json' }),
    };
    const answer = await fetch(this.api.url + path, {
      method,
      headers,
      ...(sent !== undefined && { body: sent }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

/** What `mlflow.onnx.log_model` writes beside the model. */
export const ONNX_MLMODEL = `artifact_path: model
flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_version: 1.16.0
  python_function:
    env: {}
    loader_module: mlflow.onnx
mlflow_version: 3.1.0
`;

export const SKLEARN_MLMODEL = `flavors:
  python_function:
    loader_module: mlflow.sklearn
  sklearn:
    pickled_model: model.pkl
run_id: 1
`;
