import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { layerRules } from './lib/layers.mjs';
import { ROOT } from './lib/paths.mjs';

/** [file that imports, what it imports, whether the layers allow it] */
const CASES = [
  ['core/base/new.ts', '../contract', true],
  ['core/contract/new.ts', '../base', false],
  ['core/onnx/new.ts', '../base', true],
  ['core/onnx/new.ts', './model', true],
  ['core/base/new.ts', '../onnx', false],
  ['core/onnx/new.ts', '../ort', false],
  ['core/ort/new.ts', '../onnx', false],
  ['core/storage/new.ts', '../ort', false],
  ['core/layering/new.ts', '../ort', true],
  ['core/layering/new.ts', '../onnx', true],
  ['core/layering/new.ts', '../storage', true],
  ['core/layering/new.ts', '../zoo', false],
  ['core/zoo/new.ts', '../onnx', true],
  ['core/zoo/new.ts', '../ort', false],
  ['core/vision/new.ts', '../ort', false],
  ['core/telemetry/new.ts', '../base', true],
  ['core/host/new.ts', '../ort', true],
  ['core/host/new.ts', '../onnx', true],
  // Only through the index.
  ['core/layering/new.ts', '../onnx/model', false],
  ['core/host/new.ts', '../base/units', false],
  ['renderer/new.ts', '../core/contract/errors', false],
  // The window's side.
  ['main/new.ts', '../core/contract', true],
  ['main/new.ts', '../core/base', false],
  ['main/new.ts', 'electron', true],
  ['preload/new.ts', '../core/contract', true],
  ['preload/new.ts', '../core/base', false],
  ['renderer/new.tsx', '../core/contract', true],
  ['renderer/new.tsx', '../core/onnx', false],
  ['renderer/new.tsx', 'react', true],
  // Packages.
  ['core/ort/new.ts', 'koffi', true],
  ['core/layering/new.ts', 'koffi', false],
  ['core/host/new.ts', 'onnxruntime-node', false],
  ['core/host/new.ts', 'onnxruntime-common', false],
  ['main/new.ts', 'koffi', false],
  ['core/host/new.ts', 'electron', false],
  ['core/base/new.ts', 'react', false],
  ['core/base/new.ts', 'node:fs', true],
  ['core/host/new.ts', 'ws', true],
  // Exceptions.
  ['preload/new.ts', '../core/contract/shell', true],
  ['preload/new.ts', '../core/contract/errors', false],
  ['core/layering/new.test.ts', 'onnxruntime-node', true],
  ['core/layering/new.test.ts', '../zoo', true],
  ['core/layering/new.test.ts', '../onnx/model', false],
  ['renderer/new.test.ts', '../core/onnx', false],
];

describe('the layer rule', () => {
  /** The layer rule alone: type-checked rules would want the made-up files to exist. */
  let eslint;
  beforeAll(() => {
    const parser = { files: ['**/*.{ts,tsx}'], languageOptions: { parser: tseslint.parser } };
    eslint = new ESLint({ cwd: ROOT, overrideConfigFile: true, overrideConfig: [parser, ...layerRules] });
  });

  it.each(CASES)('%s importing %s: %s', async (file, source, allowed) => {
    const [result] = await eslint.lintText(`import { x } from '${source}';\n`, {
      filePath: join(ROOT, file),
    });
    const found = result.messages.map(({ ruleId, message }) => ruleId ?? message);
    expect(found).toEqual(allowed ? [] : ['boundaries/dependencies']);
  });

  it('names both sides and where the edges stand', async () => {
    const [result] = await eslint.lintText("import { x } from '../onnx';\n", {
      filePath: join(ROOT, 'core/base/new.ts'),
    });
    expect(result.messages[0].message).toMatch(/^base may not import "\.\.\/onnx".*layers\.mjs\.$/);
  });

  it.each(['core/onnx/new.ts', 'main/new.ts', 'preload/new.ts', 'renderer/new.tsx', 'core/ort/new.test.ts'])(
    'is an error in the configuration of %s',
    async (file) => {
      const config = await new ESLint({ cwd: ROOT }).calculateConfigForFile(join(ROOT, file));
      expect(config.rules['boundaries/dependencies'][0]).toBe(2);
      expect(config.rules['import-x/no-cycle'][0]).toBe(2);
    },
  );
});

describe('the rules beside it', () => {
  /** The real configuration without its type-checked rules, which need seconds to start. */
  const untyped = new ESLint({
    cwd: ROOT,
    overrideConfig: [{ files: ['**/*.{ts,tsx}'], ...tseslint.configs.disableTypeChecked }],
  });

  it.each([
    ['core/onnx/model.ts', "export * from './schema';", 'no-restricted-syntax'],
    ['core/onnx/model.ts', 'export const at = Date.now();', 'no-restricted-syntax'],
    ['core/onnx/model.ts', 'export const at = Math.random();', 'no-restricted-syntax'],
    ['core/onnx/model.ts', 'export default 1;', 'import-x/no-default-export'],
    ['core/base/units.ts', "import { formatBytes } from './index';\nformatBytes(1);", 'import-x/no-cycle'],
  ])('%s: %s', async (file, text, rule) => {
    const [result] = await untyped.lintText(`${text}\n`, { filePath: join(ROOT, file) });
    expect(result.messages.map(({ ruleId, message }) => ruleId ?? message)).toContain(rule);
  });

  it('lets core/base and tests read the clock', async () => {
    for (const file of ['core/base/units.ts', 'core/onnx/new.test.ts']) {
      const [result] = await untyped.lintText('export const at = Date.now();\n', {
        filePath: join(ROOT, file),
      });
      expect(result.messages).toEqual([]);
    }
  });
});
