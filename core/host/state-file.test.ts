import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { StateFile } from './state-file';

const schema = z.object({ names: z.array(z.string()) });

let folder: string;
let path: string;
let told: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-state-'));
  path = join(folder, 'boxes.json');
  told = [];
  return () => rmSync(folder, { recursive: true, force: true });
});

const open = (): StateFile<z.infer<typeof schema>> => new StateFile(path, schema, (text) => told.push(text));
const add =
  (name: string) =>
  (current: z.infer<typeof schema> | undefined): z.infer<typeof schema> => ({
    names: [...(current?.names ?? []), name],
  });

describe('a state file', () => {
  it('keeps what was asked for, and what others wrote meanwhile', async () => {
    const [one, other] = [open(), open()];
    one.change(add('a'));
    await one.settled();
    other.change(add('b'));
    await other.settled();
    expect(open().read()).toEqual({ names: ['a', 'b'] });
    expect(told).toEqual([]);
  });

  it.each([
    ['cut off', '{"version":1,"content":{"names":["a"'],
    ['of another shape', '{"version":1,"content":{"names":"a"}}'],
    ['empty', ''],
  ])('%s counts as none, is told, and is kept beside what is written in its place', async (_, text) => {
    writeFileSync(path, text);
    const file = open();
    expect(file.read()).toBeUndefined();
    expect(told.join()).toContain(`kept as ${path}.damaged`);
    // Nothing is written while there is nothing to keep.
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(existsSync(`${path}.damaged`)).toBe(false);
    file.change(add('b'));
    await file.settled();
    expect(open().read()).toEqual({ names: ['b'] });
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(text);
  });

  it('of a newer Sluice is refused and never written', async () => {
    const newer = '{"version":99,"content":{"boxes":[]}}';
    writeFileSync(path, newer);
    const file = open();
    expect(() => file.read()).toThrow(/version 99/);
    file.change(add('b'));
    await file.settled();
    expect(readFileSync(path, 'utf8')).toBe(newer);
  });

  it('goes through every step between its version and this one', () => {
    const format = {
      what: 'names',
      version: 3,
      schema: z.array(z.object({ name: z.string() })),
      upgrades: {
        2: (content: unknown) => (content as string).split(','),
        3: (content: unknown) => (content as string[]).map((name) => ({ name })),
      },
    };
    const read = (value: unknown): unknown => {
      writeFileSync(join(folder, 'names.json'), JSON.stringify(value));
      return new StateFile(join(folder, 'names.json'), format, () => undefined).read();
    };
    const now = [{ name: 'a' }, { name: 'b' }];
    expect(read('a,b')).toEqual(now);
    expect(read({ version: 1, content: 'a,b' })).toEqual(now);
    expect(read({ version: 2, content: ['a', 'b'] })).toEqual(now);
    expect(read({ version: 3, content: now })).toEqual(now);
  });
});

describe('a state file on a disk that fails', () => {
  it('keeps what it was told, and saves it once the disk works again', async () => {
    const file = new StateFile(path, z.array(z.string()), (text) => told.push(text));
    // A folder in the place of the file: it can be neither read nor replaced.
    mkdirSync(path);
    file.change((names = []) => [...names, 'one']);
    await file.settled();
    expect(told.join()).toMatch(/was not saved/);
    expect(existsSync(`${path}.lock`)).toBe(false);
    rmSync(path, { recursive: true });
    file.change((names = []) => [...names, 'two']);
    expect(file.read()).toEqual(['one', 'two']);
    await file.settled();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ version: 1, content: ['one', 'two'] });
  });
});
