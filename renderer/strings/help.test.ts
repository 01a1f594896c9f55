// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { help } from './en/help';

const ROOT = join(import.meta.dirname, '..');
/** Where figures are named: `help="run.stall"`, `<Help id="run.stall">`, `help: 'device.cpu'`. */
const ID =
  /['"]((?:run|strip|budget|timeline|device|decisions|language|models|endpoints|lab|fleet)\.\w+)['"]/g;
const MARKED = /(?:data-help|help|<Help\s+id)="([\w.]+)"/g;

function sources(): readonly string[] {
  return ['app', 'panels'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /(?<!\.test)\.tsx?$/.test(path))
      .map((path) => readFileSync(join(ROOT, folder, path), 'utf8')),
  );
}

it('every figure has a help text, and every text a figure', () => {
  const code = sources();
  const named = new Set(code.flatMap((text) => [...text.matchAll(ID)].map(([, id]) => id!)));
  const marked = new Set(code.flatMap((text) => [...text.matchAll(MARKED)].map(([, id]) => id!)));
  expect([...marked].filter((id) => !(id in help))).toEqual([]);
  expect(Object.keys(help).filter((id) => !named.has(id))).toEqual([]);
});

it('each says what it is, how it is measured and what to do, in sentences', () => {
  for (const [id, { name, what, how, do: remedy }] of Object.entries(help)) {
    expect(name, id).not.toMatch(/[.]$/);
    for (const text of [what, how, remedy]) expect(text, id).toMatch(/^\p{Lu}.*\.$/u);
  }
});
