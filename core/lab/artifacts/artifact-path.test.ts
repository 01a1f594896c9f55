import { join, resolve, sep } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseArtifactPath } from './artifact-path';
import { pathOfArtifactUri, runArtifactUri } from './artifact-uri';

describe('parseArtifactPath', () => {
  it.each([
    ['', []],
    ['/', []],
    ['0/abc/artifacts', ['0', 'abc', 'artifacts']],
    ['0/abc/artifacts/', ['0', 'abc', 'artifacts']],
    ['a b/Ünïcode 模型/100%.txt', ['a b', 'Ünïcode 模型', '100%.txt']],
    ['...', ['...']],
  ])('takes %j', (text, names) => expect(parseArtifactPath(text)).toEqual(names));

  it.each([
    ['..', 'the step ".."'],
    ['0/../../secret', 'the step ".."'],
    ['a/./b', 'the step "."'],
    ['/etc/passwd', 'an empty name'],
    ['a//b', 'an empty name'],
    ['a/b//', 'an empty name'],
    ['..\\..\\secret', 'the character "\\\\"'],
    ['C:\\secret', 'the character "\\\\"'],
    ['a\0b', 'the character "\\u0000"'],
    ['a\nb', 'the character "\\n"'],
    ['a#b', 'the character "#"'],
    ['%2e%2E/secret', 'the character "%2e"'],
    ['a%2Fb', 'the character "%2F"'],
    ['%255c', 'the character "%25"'],
    ['x'.repeat(256), 'a name of more than 255 bytes'],
    ['é'.repeat(128), 'a name of more than 255 bytes'],
    [Array(33).fill('a').join('/'), 'more than 32 names'],
    [Array(5).fill('x'.repeat(210)).join('/'), 'more than 1024 bytes'],
  ])('refuses %j', (text, found) => {
    expect(() => parseArtifactPath(text)).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: expect.stringContaining(`found ${found}.`) as string,
      }),
    );
  });

  it.each(['NUL', 'com1.txt', 'a:stream', 'dot.', 'space ', 'what?'])(
    'refuses %j on Windows alone',
    (name) => {
      expect(parseArtifactPath(name, 'linux')).toEqual([name]);
      expect(() => parseArtifactPath(name, 'win32')).toThrow(/on Windows/);
    },
  );

  it('lets nothing lead out of a folder', () => {
    const piece = fc.constantFrom('..', '.', '/', '\\', '%2e', '%2f', '%', '\0', 'a', 'é', ' ', ':', '~', '');
    const root = resolve('root');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((parts) => parts.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          let names;
          try {
            names = parseArtifactPath(text);
          } catch {
            return;
          }
          const place = join(root, ...names);
          expect(place === root || place.startsWith(root + sep)).toBe(true);
          expect(place.slice(root.length).split(sep).filter(Boolean)).toEqual(names);
        },
      ),
    );
  });
});

describe('pathOfArtifactUri', () => {
  it('is where a run keeps its artifacts', () => {
    expect(pathOfArtifactUri(runArtifactUri('7', 'f'.repeat(32)))).toEqual([
      '7',
      'f'.repeat(32),
      'artifacts',
    ]);
    expect(pathOfArtifactUri('mlflow-artifacts:/7/models/a%20b')).toEqual(['7', 'models', 'a b']);
  });

  it.each([
    ['s3://bucket/7', 'unsupported'],
    ['mlflow-artifacts://other.example/7', 'unsupported'],
    ['file:///etc', 'unsupported'],
    ['/etc/passwd', 'unsupported'],
    ['mlflow-artifacts:/7/../..', 'bad-input'],
    ['mlflow-artifacts:/7/%2e%2e/x', 'bad-input'],
    ['mlflow-artifacts:/%ff', 'bad-input'],
  ])('refuses %s as %s', (uri, code) => {
    expect(() => pathOfArtifactUri(uri)).toThrow(expect.objectContaining({ code }));
  });
});
