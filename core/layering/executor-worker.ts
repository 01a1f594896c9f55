/** Entry of the executor thread: owns ONNX Runtime, the readers and every loaded model of the process. */
import { parentPort, workerData } from 'node:worker_threads';
import { engineClockMs } from '../base';
import { SluiceError } from '../contract';
import { allocateNativeMemory, OrtEnvironment } from '../ort';
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
      const { outputs, times } = await model.run(request.inputs, {
        isCancelled: () => Atomics.load(request.cancel, 0) === 1,
      });
      return { outputs, times, memory: model.memoryUse };
    }
    case 'unload': {
      const model = loaded(request.modelId);
      models.delete(request.modelId);
      await model.close();
      return {};
    }
    case 'measure-reads':
      return { bytesPerSec: await measureReads(request.path, request.byteLength, request.chunkBytes) };
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

/** One pass over the file into a small buffer, as the async pipeline reads but waiting for nothing. */
async function measureReads(path: string, byteLength: number, chunkBytes: number): Promise<number> {
  const slots = 2 * pool.readers;
  const memory = allocateNativeMemory(slots * chunkBytes);
  const operations = Math.max(1, Math.floor(byteLength / chunkBytes));
  const length = Math.min(byteLength, chunkBytes);
  const table = createStreamTable(
    { operations, readers: pool.readers, ticksPerInference: 1, rounds: 1 },
    path,
    memory.memory,
  );
  for (let operation = 0; operation < operations; operation += 1) {
    table.fileOffsets[operation] = operation * chunkBytes;
    table.destOffsets[operation] = (operation % slots) * chunkBytes;
    table.byteLengths[operation] = length;
  }
  const startMs = engineClockMs();
  const handleOf = await pool.attach(table);
  try {
    waitForReads(table, pool.readers, operations - 1, () => path);
    return (operations * length) / ((engineClockMs() - startMs) / 1000);
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
