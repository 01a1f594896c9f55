import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
});
