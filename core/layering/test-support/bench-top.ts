import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PipelineMode } from '../../contract';
import { writeModel, type OnnxModel } from '../../onnx';
import { OrtEnvironment } from '../../ort';
import { ReaderPool } from '../../storage';
import { compileStore } from '../compile';
import { LoadedModel } from '../loaded-model';
import type { StoreManifest } from '../manifest';
import { planProgram, type PlannedProgram } from '../plan';
import type { HostTensors } from '../tensors';

export const THREADS = 2;

export interface TestStore {
  readonly sourcePath: string;
  readonly storePath: string;
  readonly manifest: StoreManifest;
}

/** A folder, an environment and readers for one test file, without a worker for the engine. */
export class BenchTop {
  private nextStore = 0;

  private constructor(
    readonly folder: string,
    readonly environment: OrtEnvironment,
    readonly pool: ReaderPool,
  ) {}

  static async open(readers = 2): Promise<BenchTop> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-layering-'));
    return new BenchTop(folder, OrtEnvironment.open({ threads: THREADS }), ReaderPool.start(readers));
  }

  /** Writes a model to a file of its own and compiles it. */
  async compile(model: OnnxModel, provider = 'cpu'): Promise<TestStore> {
    const sourcePath = await this.write(model);
    return this.compileFile(sourcePath, provider);
  }

  async write(model: OnnxModel): Promise<string> {
    this.nextStore += 1;
    const path = join(this.folder, `model-${this.nextStore}.onnx`);
    await writeModel(model, path);
    return path;
  }

  async compileFile(sourcePath: string, provider = 'cpu'): Promise<TestStore> {
    this.nextStore += 1;
    const storePath = join(this.folder, `store-${this.nextStore}`);
    const manifest = await compileStore(
      { sourcePath, storePath, provider, threads: THREADS },
      () => undefined,
    );
    await stat(storePath);
    return { sourcePath, storePath, manifest };
  }

  async load(store: TestStore, mode: PipelineMode, budgetBytes = Infinity): Promise<LoadedModel> {
    return this.loadPlanned(store, planProgram(store.manifest, undefined, mode, budgetBytes));
  }

  loadPlanned(store: TestStore, { program }: PlannedProgram): Promise<LoadedModel> {
    return LoadedModel.open(this.environment, this.pool, store.storePath, store.manifest, program);
  }

  async close(): Promise<void> {
    await this.pool.close();
    this.environment.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One inference that nothing cancels. */
export async function infer(model: LoadedModel, inputs: HostTensors): Promise<HostTensors> {
  return (await model.run(inputs, { isCancelled: () => false })).outputs;
}
