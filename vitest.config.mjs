import { defineConfig } from 'vitest/config';

const shared = {
  setupFiles: ['scripts/property-seed.mjs'],
  // The product sets it before it loads ONNX Runtime; a test that loads onnxruntime-node as its reference does not.
  env: { ORT_DISABLE_TELEMETRY: '1' },
};

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          globalSetup: ['scripts/vitest-setup.mjs'],
          name: 'node',
          environment: 'node',
          include: [
            'core/**/*.test.ts',
            'main/**/*.test.ts',
            'preload/**/*.test.ts',
            'scripts/**/*.test.mjs',
            'docs/examples/*.test.mjs',
          ],
          // Native sessions and whole processes: slower than plain functions on a busy two-core machine.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: 'renderer',
          environment: 'happy-dom',
          include: ['renderer/**/*.test.{ts,tsx}'],
          testTimeout: 15_000,
        },
      },
    ],
  },
});
