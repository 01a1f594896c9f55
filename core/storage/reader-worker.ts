/**
 * Entry of one reader thread: does its share of every attached stream's reads, synchronously, and sleeps on the
 * pool's doorbell when nothing may be read yet.
 */
import { constants } from 'node:os';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { engineClockMs } from '../base';
import { closeDirect, openDirect, readFully, type DirectFile } from './direct-file';
import type { ReaderCommand, ReaderEvent, ReaderWorkerData } from './reader-pool';
import { NOTHING_WANTED, Slot, wantedSlot, type StreamTable } from './stream-table';

interface Attached {
  readonly table: StreamTable;
  readonly file: DirectFile;
  readonly target: Uint8Array;
  /** Running number of the next operation that is this reader's. */
  next: number;
}

const { reader, readers, doorbell } = workerData as ReaderWorkerData;
const port = parentPort;
if (!port) throw new Error('reader-worker runs as a worker thread only.');
const streams = new Map<number, Attached>();

function report(event: ReaderEvent): void {
  port?.postMessage(event);
}

function attach(id: number, table: StreamTable): void {
  try {
    const file = openDirect(table.filePath);
    streams.set(id, { table, file, target: new Uint8Array(table.memory.buffer), next: reader });
    report({ kind: 'attached', id, direct: file.direct });
  } catch (error) {
    report({ kind: 'refused', id, message: error instanceof Error ? error.message : String(error) });
  }
}

function detach(id: number): void {
  const stream = streams.get(id);
  if (stream) closeDirect(stream.file);
  streams.delete(id);
  report({ kind: 'detached', id });
}

/** Does the stream's next operation if it may. @returns whether it did. */
function advance(stream: Attached): boolean {
  const { table, target } = stream;
  const { control } = table;
  const count = table.byteLengths.length;
  const wanted = wantedSlot(reader, readers);
  const inference = Math.floor(stream.next / count);
  const isOver = table.rounds !== 0 && inference >= table.rounds;
  if (count === 0 || isOver || Atomics.load(control, Slot.stopped) === 1) {
    Atomics.store(control, wanted, NOTHING_WANTED);
    return false;
  }
  const operation = stream.next - inference * count;
  const barrier = inference * table.ticksPerInference + (table.barrierTicks[operation] ?? 0);
  // Said before looking: either this thread sees the tick, or the executor sees that it is wanted.
  Atomics.store(control, wanted, barrier);
  if (Atomics.load(control, Slot.ticks) < barrier) return false;

  const timesAt = 2 * ((inference % 2) * count + operation);
  table.timesMs[timesAt] = engineClockMs();
  const result = read(stream.file, target, table, operation);
  table.timesMs[timesAt + 1] = engineClockMs();
  const expected = table.byteLengths[operation] ?? 0;
  if (result === expected) Atomics.store(control, Slot.firstReader + reader, stream.next + 1);
  else fail(control, operation, result);
  stream.next += readers;
  Atomics.add(control, Slot.progress, 1);
  Atomics.notify(control, Slot.progress);
  return true;
}

/** @returns bytes read, or minus the errno. */
function read(file: DirectFile, target: Uint8Array, table: StreamTable, operation: number): number {
  const offset = table.destOffsets[operation] ?? 0;
  const length = table.byteLengths[operation] ?? 0;
  try {
    return readFully(
      file.fd,
      target.subarray(offset, offset + length),
      length,
      table.fileOffsets[operation] ?? 0,
    );
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    return errno === undefined ? -constants.errno.EIO : -Math.abs(errno);
  }
}

const FAILURE_CLAIMED = -1;

function fail(control: Int32Array, operation: number, result: number): void {
  // Claimed first and told last, so that whoever sees the failure also sees which it was.
  if (Atomics.compareExchange(control, Slot.failed, 0, FAILURE_CLAIMED) !== 0) return;
  Atomics.store(control, Slot.failedOperation, operation);
  Atomics.store(control, Slot.failedResult, result);
  Atomics.store(control, Slot.stopped, 1);
  Atomics.store(control, Slot.failed, 1);
}

/** @returns false when told to end. */
function obey(command: ReaderCommand): boolean {
  if (command.kind === 'attach') attach(command.id, command.table);
  else if (command.kind === 'detach') detach(command.id);
  else {
    for (const stream of streams.values()) closeDirect(stream.file);
    return false;
  }
  return true;
}

function serve(): void {
  for (;;) {
    const rung = Atomics.load(doorbell, 0);
    let worked = false;
    for (let message = receiveMessageOnPort(port!); message; message = receiveMessageOnPort(port!)) {
      if (!obey(message.message as ReaderCommand)) return;
      worked = true;
    }
    for (const stream of streams.values()) worked = advance(stream) || worked;
    if (!worked) Atomics.wait(doorbell, 0, rung);
  }
}

serve();
