import boundaries from 'eslint-plugin-boundaries';

/**
 * The layers of Sluice and which may import which. `docs/design` in words: contract <- base <- domains <- host;
 * main, preload and renderer see the contract only.
 */
const DOMAIN_EDGES = {
  contract: [],
  base: ['contract'],
  ort: ['contract', 'base'],
  onnx: ['contract', 'base'],
  storage: ['contract', 'base'],
  telemetry: ['contract', 'base'],
  vision: ['contract', 'base'],
  report: ['contract', 'base'],
  serving: ['contract', 'base'],
  zoo: ['contract', 'base', 'onnx'],
  layering: ['contract', 'base', 'ort', 'onnx', 'storage'],
  offload: ['contract', 'base'],
  lab: ['contract', 'base', 'storage', 'serving'],
  llm: ['contract', 'base', 'ort', 'onnx', 'storage', 'layering'],
  vericache: ['contract', 'base', 'ort', 'onnx', 'storage', 'llm'],
};
const EVERY_CORE_FOLDER = Object.keys(DOMAIN_EDGES);
const EDGES = {
  ...DOMAIN_EDGES,
  host: EVERY_CORE_FOLDER,
  main: ['contract'],
  preload: ['contract'],
  renderer: ['contract'],
};

/** Packages that only one folder may load. */
const NATIVE_RUNTIME = ['koffi', 'onnxruntime*'];
const WINDOW_PACKAGES = ['electron', 'electron/**', 'react', 'react-dom', 'react-dom/**'];

/**
 * Exceptions, each with its reason.
 * - A sandboxed preload can load no package: it takes the names of core/contract/shell from their file, because the
 *   index would bring MessagePack along.
 * - Tests beside the source may use any core folder's index and the stock binding: they compare our results with
 *   those of onnxruntime-node, and exercise layering on networks of the zoo. They may use another folder's
 *   test-support, which no index exports; those of main the contract's.
 */
const TEST_FILES = ['**/*.test.{ts,tsx}', '**/test-support/**'];

const isCore = (name) => !['main', 'preload', 'renderer'].includes(name);
const folderOf = (name) => (isCore(name) ? `core/${name}` : name);
/** Another folder of core is reached through its index only. */
const through = (name) => ({
  element: { type: name, ...(isCore(name) ? { fileInternalPath: 'index.ts' } : {}) },
});

function edgePolicies(name, mayImport) {
  return [
    { from: { element: { type: name } }, allow: { to: { element: { type: name } } } },
    ...mayImport.map((other) => ({ from: { element: { type: name } }, allow: { to: through(other) } })),
  ];
}

const LAYER_MESSAGE =
  '{{from.element.types.[0]}} may not import "{{dependency.source}}". The order is contract <- base <- domains <- host; ' +
  'main, preload and renderer see core/contract only; another folder is reached through its index. ' +
  'The edges stand in scripts/lib/layers.mjs.';

const policies = [
  ...Object.entries(EDGES).flatMap(([name, mayImport]) => edgePolicies(name, mayImport)),
  { allow: { to: { module: { origin: ['external', 'core'] } } } },
  {
    from: { element: { type: '!ort' } },
    disallow: { to: { module: { origin: 'external', source: NATIVE_RUNTIME } } },
    message: '{{dependency.source}} may be loaded under core/ort only: one environment, one thread pool.',
  },
  {
    from: { element: { type: [...EVERY_CORE_FOLDER, 'host'] } },
    disallow: { to: { module: { origin: 'external', source: WINDOW_PACKAGES } } },
    message: 'core runs without a window too: it may not import {{dependency.source}}.',
  },
];

const exceptions = [
  {
    from: { element: { type: 'preload' } },
    allow: { to: { element: { type: 'contract', fileInternalPath: 'shell.ts' } } },
  },
  {
    from: { file: { categories: 'test' } },
    allow: { to: { module: { origin: 'external', source: NATIVE_RUNTIME } } },
  },
  {
    from: { file: { categories: 'test' }, element: { type: 'main' } },
    allow: { to: { element: { type: 'contract', fileInternalPath: 'test-support/*' } } },
  },
  ...EVERY_CORE_FOLDER.map((name) => ({
    from: { file: { categories: 'test' }, element: { type: [...EVERY_CORE_FOLDER, 'host'] } },
    allow: { to: [through(name), { element: { type: name, fileInternalPath: 'test-support/*' } }] },
  })),
];

/** ESLint configuration blocks of the layer rule. */
export const layerRules = [
  {
    files: ['core/**/*.ts', 'main/**/*.ts', 'preload/**/*.ts', 'renderer/**/*.{ts,tsx}'],
    plugins: { boundaries },
    settings: {
      'boundaries/elements': Object.keys(EDGES).map((name) => ({ type: name, pattern: folderOf(name) })),
      'boundaries/files': [{ category: 'test', pattern: TEST_FILES }],
      'import/resolver': { node: { extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'] } },
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          message: LAYER_MESSAGE,
          policies: [...policies, ...exceptions],
          checkAllOrigins: true,
        },
      ],
    },
  },
];
