/** Entry of one thread that reads, writes and checks blocks of caches; see `CacheReaderPool`. */
import { parentPort } from 'node:worker_threads';
import { closeDirect, openDirect, type DirectFile } from '../../storage';
import { JobRunner, SummedMemory } from './cache-job';
import type { CacheFile, CacheReaderCommand, CacheReaderEvent } from './cache-reader-pool';

const port = parentPort;
if (!port) throw new Error('cache-reader-worker runs as a worker thread only.');
const files = new Map<number, DirectFile>();
const memories = new Map<number, SummedMemory>();
const runner = new JobRunner();

function descriptorOf({ id, path }: CacheFile): number {
  const file = files.get(id) ?? openDirect(path, 'read-write');
  files.set(id, file);
  return file.fd;
}

function memoryOf(id: number, memory: WebAssembly.Memory | undefined): SummedMemory {
  if (memory) memories.set(id, new SummedMemory(memory));
  const found = memories.get(id);
  if (!found) throw new Error(`Memory ${id} was never sent.`);
  return found;
}

function obey(command: CacheReaderCommand): void {
  if (command.kind === 'forget-memory') {
    memories.delete(command.memoryId);
    return;
  }
  if (command.kind === 'job') {
    const { file, job, memoryId, memory } = command;
    runner.run(job, () => descriptorOf(file), memoryOf(memoryId, memory));
  } else {
    const file = files.get(command.fileId);
    if (file) closeDirect(file);
    files.delete(command.fileId);
  }
  port?.postMessage({ over: command.id } satisfies CacheReaderEvent);
}

port.on('message', obey);
