import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { layerRules } from './scripts/lib/layers.mjs';

const TYPESCRIPT = ['**/*.{ts,tsx}'];
const TESTS = ['**/*.test.{ts,tsx}', 'e2e/**/*.ts'];

/** What a selector-based rule forbids everywhere. */
const NO_EXPORT_ALL = {
  selector: 'ExportAllDeclaration',
  message: 'Name what you export; `export *` hides where a name comes from.',
};
/** Clocks and randomness are injected, so that a test can replay them. */
const NO_BARE_CLOCK = [
  {
    selector: 'CallExpression[callee.object.name="Date"][callee.property.name="now"]',
    message: 'Take a clock from core/base; a bare Date.now() can not be replayed.',
  },
  {
    selector: 'CallExpression[callee.object.name="Math"][callee.property.name="random"]',
    message: 'Take a seeded generator from core/base; Math.random() can not be replayed.',
  },
];

export default defineConfig([
  globalIgnores(['out/', 'node_modules/', '.cache/', 'test-results/', 'playwright-report/', 'coverage/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.node.json', './tsconfig.web.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // `${bytes}` of a number is what every message and label here does.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Arrow functions that return another function's void are how handlers are passed on.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // React and Node take async handlers where nothing awaits them; the other checks of the rule stay.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // With noUncheckedIndexedAccess `array[i]!` is how a loop says that i is in range.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Interfaces with asynchronous members have synchronous implementations too.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      // File formats give numbers; their parsers check them against the enum.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', NO_EXPORT_ALL],
    },
  },
  {
    // Plain Node: the scripts run before anything is installed, so nothing compiles them.
    files: ['**/*.mjs'],
    rules: {
      eqeqeq: 'error',
      'no-unused-vars': 'error',
      'prefer-const': 'error',
      'no-restricted-syntax': ['error', NO_EXPORT_ALL],
    },
  },
  ...layerRules,
  {
    files: TYPESCRIPT,
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'] })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
    },
    rules: {
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-default-export': 'error',
    },
  },
  {
    files: ['core/**/*.ts'],
    ignores: ['core/base/**', '**/*.test.ts'],
    rules: { 'no-restricted-syntax': ['error', NO_EXPORT_ALL, ...NO_BARE_CLOCK] },
  },
  {
    files: ['renderer/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat.recommended],
    // Warns that React's compiler would skip a component; the compiler is not used here.
    rules: { 'react-hooks/incompatible-library': 'off' },
  },
  {
    // Mocks' methods are passed around; a wrong `this` fails the test itself.
    files: TESTS,
    rules: {
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Tools load these files and ask for a default export.
    files: ['*.config.{ts,mjs}', 'e2e/playwright.config.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
]);
