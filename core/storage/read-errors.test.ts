import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createStreamTable,
  openDirect,
  closeDirect,
  readFully,
  readsDone,
  ReaderPool,
  sha256OfFile,
  Slot,
  streamFailure,
  type StreamTable,
} from './index';

/** Reads of memory that is not mapped are answered with EIO, as those of a failing disk are. Low addresses never are. */
const FAILING_DISK = '/proc/self/mem';
const PAGE = 4096;
const READERS = 2;

let folder: string;
let pool: ReaderPool;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-eio-'));
  pool = ReaderPool.start(READERS);
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A path that leads to the failing disk until `mend` puts a file there. */
function failingFile(name: string): { readonly path: string; readonly mend: (content: Uint8Array) => void } {
  const path = join(folder, name);
  symlinkSync(FAILING_DISK, path);
  return {
    path,
    mend: (content) => {
      rmSync(path);
      writeFileSync(path, content);
    },
  };
}

function tableOver(path: string, operations: number): StreamTable {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const table = createStreamTable(
    { operations, readers: READERS, ticksPerInference: 2, rounds: 1 },
    path,
    memory,
  );
  for (let at = 0; at < operations; at += 1) {
    table.fileOffsets[at] = at * PAGE;
    table.destOffsets[at] = at * PAGE;
    table.byteLengths[at] = PAGE;
  }
  return table;
}

/** Resolves when all was read or a read failed. */
async function ended(table: StreamTable): Promise<ReturnType<typeof streamFailure>> {
  for (;;) {
    const failure = streamFailure(table, (operation) => `piece ${operation}`);
    if (failure || readsDone(table, READERS, table.byteLengths.length - 1)) return failure;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe.skipIf(!existsSync(FAILING_DISK))('a disk that answers EIO', () => {
  it('fails a plain read with its own error', () => {
    const file = openDirect(failingFile('plain').path);
    expect(() => readFully(file.fd, new Uint8Array(PAGE), PAGE, 0)).toThrow(/EIO/);
    closeDirect(file);
  });

  it('stops a stream, which tells what was read, where, and why it failed', async () => {
    const { path } = failingFile('stream');
    const table = tableOver(path, 6);
    const handle = await pool.attach(table);
    const failure = await ended(table);
    expect(failure).toMatchObject({
      code: 'io',
      details: { path, errno: 'EIO', found: -constants.errno.EIO },
    });
    expect(failure?.message).toMatch(
      /^Reading piece [01] from .*stream at byte (0|4096): the disk reported an error; check its health \(EIO\)\. /,
    );
    expect(Atomics.load(table.control, Slot.stopped)).toBe(1);
    await handle.detach();
  });

  it('leaves the readers to other streams, and the same stream reads again once the fault is gone', async () => {
    const { path, mend } = failingFile('mended');
    const table = tableOver(path, 4);
    await (await pool.attach(table).then(async (handle) => (await ended(table), handle))).detach();
    const content = Uint8Array.from({ length: 4 * PAGE }, (_, at) => at % 251);
    const other = join(folder, 'other');
    writeFileSync(other, content);
    const fine = tableOver(other, 4);
    const fineHandle = await pool.attach(fine);
    expect(await ended(fine)).toBeUndefined();
    await fineHandle.detach();

    mend(content);
    table.control.fill(0);
    const handle = await pool.attach(table);
    expect(await ended(table)).toBeUndefined();
    expect(
      Buffer.compare(new Uint8Array(table.memory.buffer).slice(0, content.length), Buffer.from(content)),
    ).toBe(0);
    await handle.detach();
  });

  it('fails a checksum as a read error that names the place, not as a wrong checksum', async () => {
    const { path, mend } = failingFile('sum');
    const range = { offset: PAGE, byteLength: PAGE };
    await expect(sha256OfFile(path, range)).rejects.toMatchObject({
      code: 'io',
      details: { errno: 'EIO' },
      message: `Can't read ${path} at byte ${PAGE}: the disk reported an error; check its health (EIO).`,
    });
    mend(new Uint8Array(2 * PAGE));
    expect(await sha256OfFile(path, range)).toMatch(/^[0-9a-f]{64}$/);
  });
});
