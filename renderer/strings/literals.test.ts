// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
/** Folders whose texts nobody reads: the catalogues themselves, stand-ins of tests, the bench's page. */
const APART = ['strings', 'test-support', join('timeline-engine', 'bench')];
/** What a screen or a screen reader shows, as an attribute or as a member of an object. */
const SHOWN =
  /^(aria-label|aria-description|aria-valuetext|aria-roledescription|title|placeholder|alt|label|hint|summary|text|message|heading|caption|keywords|description|question|suffix|reason)$/;
/** Two words with a space between: a sentence, unless a tool reads it. */
const PHRASE = /\p{L}[\p{L}’']*[,:;.]? (?:\p{L}|[“„])/u;
const WORD = /\p{L}{2,}/u;
/** A word beside what a template fills in: `layer …`. */
const BESIDE_A_HOLE = /\b(?!min\b)\p{L}{3,} …|… (?!min\b)\p{L}{3,}/u;
/** One word that a label may be. */
const CAPITALISED = /^\p{Lu}\p{Ll}+$/u;
const NAMES_OF_KEYS = /^(?:Enter|Escape|Home|End|Tab|Delete|Backspace|Insert|Mac|Sluice|Files|None)$/;
/** Units and symbols are the same in every language. */
const UNIT = /^[\s\d%×·,.:()/–−+-]*(?:ms|s|min|h|[kMGT]i?B|B|px|CPU|GPU|SSD|MB\/s)?[\s%)/]*$/;
/** Texts for tools: media queries, fonts, canvas, file kinds, lists of classes and events. */
const FOR_TOOLS =
  /^\(|^\[data-|^(?:var|color-mix)\(|^Control\+|^input[,:]|^[\d.]+px |^\d+ [\d.]+px |system-ui|^[a-z]+\/[a-z+.-]+|^(?:[a-z-]+ )*[a-z-]+-[a-z-]+(?: [a-z-]+)*$|^M ?[\d.]+|^matrix/;

interface Found {
  readonly place: string;
  readonly text: string;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return APART.includes(relative(ROOT, path)) ? [] : sources(path);
    return /(?<!\.test)\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

/** Where a text stands decides whether it is shown. */
function isShown(node: ts.Node, text: string): boolean {
  const { parent } = node;
  if (ts.isJsxText(node)) return WORD.test(text);
  if (parent.kind === ts.SyntaxKind.ImportDeclaration || ts.isLiteralTypeNode(parent)) return false;
  if (isOfError(node)) return false;
  if (ts.isJsxAttribute(parent) || ts.isPropertyAssignment(parent)) {
    if (SHOWN.test(parent.name.getText())) return WORD.test(text) && !UNIT.test(text);
  }
  if (ts.isJsxExpression(parent) && !ts.isJsxAttribute(parent.parent)) {
    return WORD.test(text) && !UNIT.test(text);
  }
  if (FOR_TOOLS.test(text)) return false;
  if (ts.isTemplateExpression(node) && BESIDE_A_HOLE.test(text)) return true;
  return PHRASE.test(text) || (CAPITALISED.test(text) && !NAMES_OF_KEYS.test(text));
}

/** Broken promises inside the program speak to its developers. */
function isOfError(node: ts.Node): boolean {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isNewExpression(at) && /Error$/.test(at.expression.getText())) return true;
    if (ts.isStatement(at)) return false;
  }
  return false;
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isJsxText(node) || ts.isStringLiteralLike(node)) return node.text.trim();
  if (ts.isTemplateExpression(node)) {
    return [node.head, ...node.templateSpans.map(({ literal }) => literal)]
      .map(({ text }) => text)
      .join('…')
      .trim();
  }
  return undefined;
}

function literalsIn(path: string): readonly Found[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022, true);
  const found: Found[] = [];
  const visit = (node: ts.Node): void => {
    const text = textOf(node);
    if (text !== undefined && isShown(node, text)) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart());
      found.push({ place: `${relative(ROOT, path)}:${line + 1}`, text });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

describe('texts outside the catalogue', () => {
  it('there are none', () => {
    const found = sources(ROOT).flatMap(literalsIn);
    expect(found.map(({ place, text }) => `${place} ${text}`)).toEqual([]);
  });
});
