import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadCliProgram } from './lib/cli-program.mjs';
import { cliReference } from './lib/cli-reference.mjs';
import { faultsOf, sluiceLines } from './lib/doc-commands.mjs';
import { brokenLinks } from './lib/doc-links.mjs';
import { ROOT } from './lib/paths.mjs';

/** Pictures are part of the clone: larger ones are made with fewer colours. */
const LARGEST_PICTURE_BYTES = 150_000;

const pages = ['README.md', 'CONTRIBUTING.md', ...filesBelow('docs', '.md')];

function filesBelow(folder, ending) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith(ending) && statSync(join(ROOT, path)).isFile());
}

describe('the documentation', () => {
  let program;
  beforeAll(async () => {
    program = await loadCliProgram();
  });

  it('has the reference that the commands tell of themselves', () => {
    const written = readFileSync(join(ROOT, 'docs/reference/command-line.md'), 'utf8');
    expect(written, 'out of date: run "node scripts/docs.mjs --reference"').toBe(cliReference(program));
  });

  it('tells of every command and option what it is', () => {
    const silent = [];
    const walk = (command, path) => {
      if (command.description() === '') silent.push(path);
      for (const option of command.options) if (!option.description) silent.push(`${path} ${option.flags}`);
      for (const child of command.commands) walk(child, `${path} ${child.name()}`);
    };
    walk(program, 'sluice');
    expect(silent).toEqual([]);
  });

  it.each(pages)('%s: every sluice command is one', (page) => {
    const markdown = readFileSync(join(ROOT, page), 'utf8');
    const faults = sluiceLines(markdown).flatMap((line) =>
      faultsOf(program, line).map((fault) => `sluice ${line}: ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  it.each(pages)('%s: every link leads somewhere', (page) => {
    expect(brokenLinks(join(ROOT, page), ROOT)).toEqual([]);
  });

  it('has pictures that are small, and only those that a page shows', () => {
    const texts = pages.map((page) => readFileSync(join(ROOT, page), 'utf8')).join('\n');
    for (const path of [...filesBelow('docs/images', '.png'), ...filesBelow('docs/images', '.webp')]) {
      expect(statSync(join(ROOT, path)).size, path).toBeLessThan(LARGEST_PICTURE_BYTES);
      expect(texts, path).toContain(relative('docs', path));
    }
  });

  it.each([
    ['runn x', /no command/],
    ['run net --input random --bugdet 3MiB', /no option --bugdet/],
    ['lab ps | lgs RUN', /no command/],
    ['lab dataset push A B | lst', /no command/],
    ['models list --al', /no option/],
  ])('would notice "sluice %s"', (line, fault) => {
    expect(faultsOf(program, line).join()).toMatch(fault);
  });

  it.each([
    'models list | inspect NAME | remove NAME',
    'lab fork RUN [--checkpoint ARTIFACT] [-- ARGS]        its code and data, from a checkpoint',
    'run MODEL --input example:receipt --budget 3MiB --json | jq .medianMs',
    'bench layering --json > layering.json && node scripts/bench-table.mjs layering.json',
  ])('takes "sluice %s"', (line) => {
    expect(faultsOf(program, line)).toEqual([]);
  });
});
