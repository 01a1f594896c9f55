// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
/** Names of columns and facts that are words, moments or the thing itself: no figures, so nothing to explain. */
const WORDS_ALONE = new Set(
  (
    'name model user url tier health token use task state architecture quantisation actions version run aliases ' +
    'owner visibility tags about what choice node answeredBy by step time inputs outputs compiledFor store source ' +
    'imported index cap first second decided decisionChoice'
  ).split(' '),
);
/** What has no help yet, each with why. */
const APART: readonly (readonly [path: string, why: string])[] = [
  ['app/help-layer.tsx', 'is the help'],
  ['app/shortcuts-dialog.tsx', 'keys, no figures'],
  ['panels/lab/compare/differences-table.tsx', 'a column a run, named as it'],
  ['panels/lab/run-page/artifacts/artifact-preview.tsx', 'a file’s own columns'],
  ['panels/timeline/span-inspector.tsx', 'the lane the span is in has the help'],
  ['panels/decisions/choice-matrix.tsx', 'its corner explains all of it'],
  ['panels/device/figures.tsx', 'the list around them has the help'],
  ['panels/fleet/', 'its figures are those of other panels'],
];

interface Source {
  readonly path: string;
  readonly file: ts.SourceFile;
}

function sources(): readonly Source[] {
  return ['app', 'panels'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => join(folder, path))
      .filter((path) => /(?<!\.test)\.tsx$/.test(path) && !APART.some(([apart]) => path.startsWith(apart)))
      .map((path) => {
        const text = readFileSync(join(ROOT, path), 'utf8');
        return {
          path,
          file: ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TSX),
        };
      }),
  );
}

function place({ path, file }: Source, node: ts.Node): string {
  const { line } = file.getLineAndCharacterOfPosition(node.getStart());
  return `${relative('.', path)}:${line + 1} ${node.getText().replace(/\s+/g, ' ').slice(0, 80)}`;
}

/** A head of a column or the name of a fact. */
function isHead(node: ts.Node): node is ts.JsxElement {
  if (!ts.isJsxElement(node)) return false;
  const tag = node.openingElement.tagName.getText();
  return tag === 'dt' || (tag === 'th' && !/scope="row"/.test(node.openingElement.getText()));
}

/** `{COLUMNS.name}` is one of words alone. */
function isOfWords(head: ts.JsxElement): boolean {
  const expressions = head.children.filter((child) => ts.isJsxExpression(child));
  const last = expressions[0]?.expression?.getText().split('.').at(-1) ?? '';
  return expressions.length === 1 && WORDS_ALONE.has(last);
}

function unexplained(source: Source): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isHead(node) && !/<Help|data-help/.test(node.getText()) && !isOfWords(node))
      found.push(place(source, node));
    if (ts.isObjectLiteralExpression(node)) {
      const { properties } = node;
      const named = (name: string): boolean =>
        properties.some((property) => property.name?.getText() === name);
      const isFigure = properties.some((property) => /^align: 'end'/.test(property.getText()));
      const isButton = properties.some((property) => /^key: '(?:stop|user)'/.test(property.getText()));
      if (isFigure && !isButton && !named('help')) found.push(place(source, node));
    }
    // Facts: a label, a value that is formatted as a figure, and its help.
    if (ts.isArrayLiteralExpression(node) && node.elements.length === 2) {
      const [label, value] = node.elements;
      const isFigure = /\bformat(?:Bytes|BytesOf|Ms|Pct|Rate|Figure|Fixed|Duration)\(/.test(
        value?.getText() ?? '',
      );
      if (isFigure && label !== undefined && ts.isPropertyAccessExpression(label))
        found.push(place(source, node));
    }
    ts.forEachChild(node, visit);
  };
  visit(source.file);
  return found;
}

it('every column and fact with a figure names its help', () => {
  expect(sources().flatMap(unexplained)).toEqual([]);
});

it('what stands apart still exists', () => {
  const paths = ['app', 'panels'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  expect(APART.filter(([apart]) => !paths.some((path) => path.startsWith(apart)))).toEqual([]);
});
