/** Entry of the executor thread: owns ONNX Runtime, the readers and every loaded model of the process. */
import { parentPort, workerData } from 'node:worker_threads';
import { engineClockMs } from '../base';
import { SluiceError } from '../contract';
import { LargePageMemory, OrtEnvironment } from '../ort';
import { createStreamTable, ReaderPool } from '../storage';
import type {
  ExecutorLoaded,
  ExecutorMeasured,
  ExecutorMessage,
  ExecutorOptions,
  ExecutorRan,
  ExecutorReady,
  ExecutorReply,
  ExecutorRequest,
} from './executor-protocol';
import { LoadedModel } from './loaded-model';
import { isStopRequested, whileRunning } from './stop-signal';
import { waitForReads } from './weight-memory';

const port = parentPort;
if (!port) throw new Error('executor-worker runs as a worker thread only.');
const options = workerData as ExecutorOptions;
const environment = OrtEnvironment.open(options);
const pool = ReaderPool.start(options.readers);
const models = new Map<number, LoadedModel>();

type Result = ExecutorLoaded | ExecutorRan | ExecutorMeasured | Record<string, never>;

async function handle(request: ExecutorRequest): Promise<Result> {
  switch (request.kind) {
    case 'load': {
      const { modelId, storePath, manifest, program } = request;
      const model = await LoadedModel.open(environment, pool, storePath, manifest, program);
      models.set(modelId, model);
      return { memory: model.memoryUse, readsDirectly: model.readsDirectly, terminator: model.terminator };
    }
    case 'run': {
      const model = loaded(request.modelId);
      const { inputs, stop } = request;
      const isCancelled = (): boolean => isStopRequested(stop);
      const { outputs, times } = await whileRunning(stop, () => model.run(inputs, { isCancelled }));
      return { outputs, times, memory: model.memoryUse };
    }
    case 'unload': {
      const model = loaded(request.modelId);
      models.delete(request.modelId);
      await model.close();
      return {};
    }
    case 'measure-reads':
      return { bytesPerSec: await measureReads(request) };
    case 'end': {
      for (const model of models.values()) await model.close();
      await pool.close();
      environment.close();
      return {};
    }
  }
}

function loaded(id: number): LoadedModel {
  const model = models.get(id);
  if (!model) throw new SluiceError('not-found', `No model ${id} is loaded.`);
  return model;
}

/** Reads the file over and over into a small buffer, as the async pipeline reads but waiting for nothing. */
async function measureReads(request: Extract<ExecutorRequest, { kind: 'measure-reads' }>): Promise<number> {
  const { path, fileBytes, chunkBytes, parallel, totalBytes, memoryBytes } = request;
  const length = Math.min(fileBytes, chunkBytes);
  const perPass = Math.max(1, Math.floor(fileBytes / length));
  const reads = Math.max(1, Math.ceil(totalBytes / length));
  const slots = Math.max(1, Math.floor(memoryBytes / length));
  // As the ring's memory.
  const memory = LargePageMemory.allocate(slots * length).block;
  const shape = { operations: reads * pool.readers, readers: pool.readers, ticksPerInference: 1, rounds: 1 };
  const table = createStreamTable(shape, path, memory.memory);
  // They wait for the first tick, so that starting them is not measured.
  table.barrierTicks.fill(1);
  let read = 0;
  for (let operation = 0; operation < shape.operations && read < reads; operation += 1) {
    // Operation i belongs to reader i mod R: empty ones keep the others idle.
    if (operation % pool.readers >= parallel) continue;
    table.fileOffsets[operation] = (read % perPass) * length;
    table.destOffsets[operation] = memory.byteOffset + (read % slots) * length;
    table.byteLengths[operation] = length;
    read += 1;
  }
  const handleOf = await pool.attach(table);
  try {
    const startMs = engineClockMs();
    pool.advance(table, 1);
    waitForReads(table, pool.readers, shape.operations - 1, () => path);
    return (reads * length) / ((engineClockMs() - startMs) / 1000);
  } finally {
    await handleOf.detach();
  }
}

// One request at a time, in the order they came.
let last: Promise<void> = Promise.resolve();

async function answer({ id, request }: ExecutorMessage): Promise<void> {
  let reply: ExecutorReply;
  try {
    reply = { id, ok: true, value: await handle(request) };
  } catch (error) {
    reply = { id, ok: false, error: SluiceError.from(error).toWire() };
  }
  port?.postMessage(reply);
  if (request.kind === 'end') port?.close();
}

port.on('message', (message: ExecutorMessage) => {
  last = last.then(() => answer(message));
});
const ready: ExecutorReady = {
  runtimeVersion: environment.version,
  providers: environment.availableProviders(),
};
port.postMessage(ready);
