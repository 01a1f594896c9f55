import { describe, expect, it } from 'vitest';

import { parseManifest, sealManifest, withoutHidden, type TreeEntry } from './manifest';

const HASH = 'ab'.repeat(32);
const file = (path: string, chunks: [string, number][] = [[HASH, 3]], bytes = 3): TreeEntry => ({
  path,
  type: 'file',
  mode: 0o644,
  bytes,
  chunks,
});
const folder = (path: string): TreeEntry => ({ path, type: 'folder', mode: 0o755 });
const link = (path: string, target: string): TreeEntry => ({ path, type: 'link', target });
const parse = (entries: TreeEntry[], hidden: string[] = []) =>
  parseManifest(sealManifest({ entries, hidden }).text, 'The manifest sent');

describe('parseManifest', () => {
  it('reads what sealManifest writes', () => {
    const entries = [file('a'), folder('b'), folder('b/c'), file('b/d', [], 0), link('b/e', '../a')];
    expect(parse(entries, ['b/c/'])).toEqual({ entries, hidden: ['b/c/'] });
  });

  it.each<[string, TreeEntry[], string]>([
    ['climbs', [file('../a')], '"../a": it has the name ".."'],
    ['climbs inside', [folder('a'), file('a/../../b')], 'it has the name ".."'],
    ['absolute', [file('/etc/passwd')], '"/etc/passwd": it is absolute'],
    ['drive', [file('C:evil')], '"C:evil" begins like a drive'],
    ['drive with a slash', [folder('C:'), file('C:/evil')], 'begins like a drive'],
    ['backslash', [file('..\\evil')], 'it has a backslash'],
    ['NUL', [file('a\0b')], '"a\\u0000b": it has a control character'],
    ['newline', [file('a\nb')], 'it has a control character'],
    ['half a character', [file('a\ud800')], 'it is not UTF-8'],
    ['empty', [file('')], '"": it is empty'],
    ['doubled slash', [folder('a'), file('a//b')], 'it has an empty name'],
    ['this folder', [file('./a')], 'it has the name "."'],
    ['a long name', [file('a'.repeat(256))], 'a name is longer than 255 bytes'],
    ['twice', [file('a'), file('a')], '"a": it does not come after "a"'],
    ['unsorted', [file('b'), file('a')], '"a": it does not come after "b"'],
    ['case', [file('A'), file('a')], '"a": it is "A" where case is ignored'],
    ['accents', [file('e\u0301'), file('\u00e9')], 'where case is ignored'],
    ['no folder', [file('a/b')], '"a/b": its folder is not in the list'],
    ['through a file', [file('a'), file('a/b')], '"a/b": its folder is a file'],
    ['through a link', [link('a', 'b'), file('a/b')], '"a/b": its folder is a link'],
    ['link out', [link('a', '../b')], 'its target leaves the folder'],
    ['absolute link', [link('a', '/etc/passwd')], 'its target is absolute'],
    ['crooked link', [folder('d'), link('d/a', 'x/../../b')], 'its target has ".." behind a name'],
    ['empty link', [link('a', '')], 'its target is empty'],
    ['size', [file('a', [[HASH, 3]], 4)], '"a": its chunks make 3 bytes, and it says 4'],
    ['no hash', [file('a', [['../../x', 3]])], 'entries.0.chunks.0.0: '],
    ['mode', [{ ...folder('a'), mode: 0o4755 } as TreeEntry], 'entries.0.mode: '],
  ])('refuses a path: %s', (_what, entries, message) => {
    expect(() => parse(entries)).toThrow(message);
  });

  it.each([
    ['no JSON', 'hello', 'expected a manifest in JSON'],
    ['another format', '{"format":"x"}', 'format: '],
    ['spaces', '{"format":"sluice-tree-1","hidden":[],"entries":[] }', 'without spaces'],
    ['a second key', '{"format":"sluice-tree-1","hidden":[],"entries":[],"entries":[]}', 'without spaces'],
    ['another key', '{"format":"sluice-tree-1","hidden":[],"entries":[],"more":1}', 'more'],
  ])('refuses a text: %s', (_what, text, message) => {
    expect(() => parseManifest(Buffer.from(text), 'The manifest sent')).toThrow(message);
  });

  it('names the first few faults and counts the others', () => {
    const entries = Array.from({ length: 9 }, (_, at) => file(`../${at}`));
    expect(() => parse(entries)).toThrow(/^The manifest sent is refused: "..\/0": .*; and 4 more\.$/);
  });

  it('refuses more files than a version takes', () => {
    const entries = Array.from({ length: 250_001 }, () => folder('a'));
    expect(() => sealManifest({ entries, hidden: [] })).toThrow(
      /Found 250001 files and folders; .* up to 250000/,
    );
  });

  it.each(['hidden', '../', '/'])('refuses the hidden part %j', (prefix) => {
    expect(() => parse([], [prefix])).toThrow('the hidden part');
  });
});

describe('withoutHidden', () => {
  it('leaves out a folder with all that is in it, and nothing that is only named like it', () => {
    const entries = [folder('hidden'), file('hidden-not'), file('hidden/a'), folder('x'), folder('x/hidden')];
    expect(withoutHidden({ entries, hidden: ['hidden/'] }).entries.map(({ path }) => path)).toEqual([
      'hidden-not',
      'x',
      'x/hidden',
    ]);
  });
});
