import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../base';
import { SluiceError } from '../contract';
import { failureOf } from '../contract/test-support/failure-of';
import {
  alignUp,
  closeDirect,
  createStreamTable,
  ioError,
  openDirect,
  ReaderPool,
  readFully,
  readsDone,
  sha256Hex,
  sha256OfFile,
  Slot,
  streamFailure,
  writeFileAtomic,
  type StreamTable,
} from './index';

const PAGE = 4096;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-storage-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file whose 32-bit word at byte b is b / 4 + `base`. */
function countingFile(name: string, pages: number, base = 0): string {
  const words = Uint32Array.from({ length: (pages * PAGE) / 4 }, (_, at) => base + at);
  const path = join(folder, name);
  writeFileSync(path, new Uint8Array(words.buffer));
  return path;
}

describe('writeFileAtomic', () => {
  it('writes and replaces, leaving nothing beside', async () => {
    const home = mkdtempSync(join(folder, 'atomic-'));
    const path = join(home, 'a.json');
    await writeFileAtomic(path, 'old');
    await writeFileAtomic(path, Uint8Array.of(110, 101, 119));
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(home)).toEqual(['a.json']);
  });

  it('leaves the old file alone when it can not write the new one', async () => {
    const home = mkdtempSync(join(folder, 'atomic-'));
    const path = join(home, 'a.json');
    fs.mkdirSync(path);
    const failure = await failureOf(writeFileAtomic(path, 'new'));
    expect(failure).toMatchObject({ code: 'io' });
    expect(failure.message).toContain(path);
    expect(readdirSync(home)).toEqual(['a.json']);
    expect((await failureOf(writeFileAtomic(join(home, 'nowhere', 'b'), 'x'))).details['errno']).toBe(
      'ENOENT',
    );
  });

  it('many at once leave one of them whole', async () => {
    const path = join(folder, 'contended.json');
    const texts = Array.from({ length: 20 }, (_, at) => String(at).repeat(50_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    expect(texts).toContain(readFileSync(path, 'utf8'));
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('ioError', () => {
  it.each([
    ['ENOSPC', /disk is full/],
    ['EACCES', /permission denied/],
    ['EROFS', /read-only/],
    ['EWHATEVER', /what happened.*EWHATEVER/],
  ])('%s says what to do', (code, message) => {
    const failure = ioError("Can't write it", Object.assign(new Error('what happened'), { code }));
    expect(failure).toMatchObject({ code: 'io', details: { errno: code } });
    expect(failure.message).toMatch(message);
  });

  it('passes a SluiceError through', () => {
    const known = new SluiceError('cancelled', 'stop');
    expect(ioError('x', known)).toBe(known);
  });
});

describe('checksums', () => {
  it('agree with one another and know their range', async () => {
    const path = countingFile('sum.bin', 3);
    const content = readFileSync(path);
    const expected = createHash('sha256').update(content.subarray(100, 9000)).digest('hex');
    let bytes = 0;
    expect(await sha256OfFile(path, { offset: 100, byteLength: 8900 }, (more) => (bytes += more))).toBe(
      expected,
    );
    expect(sha256Hex(content.subarray(100, 9000))).toBe(expected);
    expect(bytes).toBe(8900);
    expect(await sha256OfFile(path, { offset: 0, byteLength: 0 })).toBe(sha256Hex(new Uint8Array(0)));
  });

  it('say where a file ended, and stop when told to', async () => {
    const path = countingFile('short.bin', 1);
    const failure = await failureOf(sha256OfFile(path, { offset: 0, byteLength: 5000 }));
    expect(failure.code).toBe('io');
    expect(failure.message).toContain('ended at byte 4096; expected 904 more');
    const stopped = sha256OfFile(path, { offset: 0, byteLength: 4096 }, undefined, AbortSignal.abort());
    expect((await failureOf(stopped)).code).toBe('cancelled');
  });
});

describe('openDirect', () => {
  it('reads the same bytes as any other way', () => {
    const path = countingFile('direct.bin', 4);
    const file = openDirect(path);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const bytes = new Uint8Array(memory.buffer);
    expect(readFully(file.fd, bytes, 2 * PAGE, PAGE)).toBe(2 * PAGE);
    expect(Buffer.compare(bytes.subarray(0, 2 * PAGE), readFileSync(path).subarray(PAGE, 3 * PAGE))).toBe(0);
    expect(readFully(file.fd, bytes, 4 * PAGE, 2 * PAGE), 'the file ends').toBe(2 * PAGE);
    closeDirect(file);
  });

  it('ends at the end of a file that is no multiple of a page', () => {
    const path = countingFile('odd.bin', 2);
    truncateSync(path, PAGE + 1000);
    const file = openDirect(path);
    const bytes = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
    expect(readFully(file.fd, bytes, 2 * PAGE, 0)).toBe(PAGE + 1000);
    closeDirect(file);
  });

  // Files of /proc refuse O_DIRECT everywhere.
  it.skipIf(!existsSync('/proc/version'))('falls back, and says so, where the file system refuses', () => {
    const file = openDirect('/proc/version');
    expect(file.direct).toBe(false);
    const bytes = new Uint8Array(PAGE);
    const count = readFully(file.fd, bytes, PAGE, 0);
    expect(Buffer.from(bytes.subarray(0, count)).toString()).toBe(readFileSync('/proc/version', 'utf8'));
    closeDirect(file);
  });

  it('names the path it can not open', () => {
    expect(() => openDirect(join(folder, 'nowhere.bin'))).toThrow(
      expect.objectContaining({
        code: 'io',
        details: { path: join(folder, 'nowhere.bin'), errno: 'ENOENT' },
      }) as Error,
    );
  });
});

describe('ReaderPool', () => {
  const READERS = 3;
  let pool: ReaderPool;
  beforeAll(() => {
    pool = ReaderPool.start(READERS);
  });
  afterAll(() => pool.close());

  /** One page an operation, to random places, all in one round unless told otherwise. */
  function tableOver(path: string, fileOffsets: readonly number[], rounds = 1): StreamTable {
    const bytes = Math.max(1, fileOffsets.length) * PAGE;
    const pages = Math.ceil(bytes / 65_536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const shape = { operations: fileOffsets.length, readers: READERS, ticksPerInference: 2, rounds };
    const table = createStreamTable(shape, path, memory);
    fileOffsets.forEach((offset, at) => {
      table.fileOffsets[at] = offset;
      table.destOffsets[at] = at * PAGE;
      table.byteLengths[at] = PAGE;
    });
    return table;
  }

  async function settled(table: StreamTable, last: number): Promise<SluiceError | undefined> {
    for (;;) {
      if (readsDone(table, READERS, last)) return undefined;
      const failure = streamFailure(table, (operation) => `operation ${operation}`);
      if (failure) return failure;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  it('reads many streams at once, each byte where it belongs', async () => {
    const random = seededRandom(5);
    const streams = Array.from({ length: 24 }, (_, stream) => {
      const path = countingFile(`stream-${stream}.bin`, 20, stream * 1_000_000);
      const offsets = Array.from(
        { length: 1 + Math.floor(random() * 40) },
        () => PAGE * Math.floor(random() * 20),
      );
      return { stream, offsets, table: tableOver(path, offsets) };
    });
    const handles = await Promise.all(streams.map(({ table }) => pool.attach(table)));
    for (const { stream, offsets, table } of streams) {
      expect(await settled(table, offsets.length - 1)).toBeUndefined();
      const words = new Uint32Array(table.memory.buffer);
      offsets.forEach((offset, at) => {
        expect(words[(at * PAGE) / 4]).toBe(stream * 1_000_000 + offset / 4);
        expect(words[((at + 1) * PAGE) / 4 - 1]).toBe(stream * 1_000_000 + offset / 4 + PAGE / 4 - 1);
      });
    }
    await Promise.all(handles.map((handle) => handle.detach()));
  });

  it('waits for the tick an operation asks for, and repeats for ever', async () => {
    const table = tableOver(countingFile('ticks.bin', 4), [0, PAGE, 2 * PAGE], 0);
    table.barrierTicks.set([1, 1, 2]);
    const handle = await pool.attach(table);
    for (let round = 0; round < 50; round += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(readsDone(table, READERS, 3 * round), `round ${round} has not begun`).toBe(false);
      pool.advance(table, 2 * round + 1);
      expect(await settled(table, 3 * round + 1)).toBeUndefined();
      expect(readsDone(table, READERS, 3 * round + 2)).toBe(false);
      pool.advance(table, 2 * round + 2);
      expect(await settled(table, 3 * round + 2)).toBeUndefined();
    }
    await handle.detach();
  });

  it('tells which read failed and why, and goes on with other streams', async () => {
    const path = countingFile('cut.bin', 8);
    truncateSync(path, 5 * PAGE + 100);
    const table = tableOver(
      path,
      [0, 1, 2, 3, 4, 5, 6].map((page) => page * PAGE),
    );
    const handle = await pool.attach(table);
    const failure = await settled(table, 6);
    expect(failure?.code).toBe('io');
    // Two readers meet the end at about the same time; either may tell.
    expect(failure?.message).toMatch(
      /Reading operation (5|6) .*at byte (20480|24576): the file ended early: expected 4096 bytes, found (100|0)/,
    );
    expect(Atomics.load(table.control, Slot.stopped)).toBe(1);
    await handle.detach();
    const fine = tableOver(countingFile('fine.bin', 1), [0]);
    const other = await pool.attach(fine);
    expect(await settled(fine, 0)).toBeUndefined();
    await other.detach();
  });

  it('refuses a file that is not there, and can attach a table again later', async () => {
    const path = join(folder, 'later.bin');
    const table = tableOver(path, [0]);
    expect(await failureOf(pool.attach(table))).toMatchObject({ code: 'io', details: { path } });
    countingFile('later.bin', 1);
    table.control.fill(0);
    const handle = await pool.attach(table);
    expect(await settled(table, 0)).toBeUndefined();
    await handle.detach();
    await handle.detach();
  });

  it('says whether reads bypass the cache', async () => {
    if (existsSync('/proc/version')) {
      const handle = await pool.attach(tableOver('/proc/version', []));
      expect(handle.direct).toBe(false);
      await handle.detach();
    }
    const file = openDirect(countingFile('plain.bin', 1));
    closeDirect(file);
    const handle = await pool.attach(tableOver(join(folder, 'plain.bin'), []));
    expect(handle.direct).toBe(file.direct);
    await handle.detach();
  });

  it('closes no file twice and leaves none open', async () => {
    const path = countingFile('open.bin', 1);
    const openFiles = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0);
    const before = openFiles();
    for (let round = 0; round < 50; round += 1) await (await pool.attach(tableOver(path, [0]))).detach();
    expect(openFiles()).toBeLessThanOrEqual(before + 2);
  });
});

describe('alignUp', () => {
  it.each([
    [0, 0],
    [1, 4096],
    [4096, 4096],
    [4097, 8192],
    [2 ** 40 + 1, 2 ** 40 + 4096],
  ])('%i -> %i', (bytes, aligned) => {
    expect(alignUp(bytes)).toBe(aligned);
  });
});
