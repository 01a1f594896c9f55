import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const at = (path: string): string => resolve(import.meta.dirname, path);

/**
 * Entries of the main build. Each becomes `out/main/NAME.js`, CommonJS, for Node 18 (the oldest runtime it must
 * load in), so that Electron's utilityProcess, worker threads and plain Node run the same files.
 */
const nodeEntries = {
  index: at('main/index.ts'),
  engine: at('core/host/engine.ts'),
  cli: at('core/host/cli.ts'),
  'executor-worker': at('core/layering/executor-worker.ts'),
  'reader-worker': at('core/storage/reader-worker.ts'),
  'weight-stream-worker': at('core/llm/streaming/weight-stream-worker.ts'),
  'cache-reader-worker': at('core/vericache/store/cache-reader-worker.ts'),
  'lab-supervisor': at('core/lab/jobs/local/supervisor-process.ts'),
  'lab-client': at('core/lab/client/index.ts'),
  'compile-process': at('core/layering/compile-process.ts'),
  'bench-side': at('core/host/bench-layering/side-process.ts'),
  'bench-offload-worker': at('core/host/bench-offload/job-worker.ts'),
  'bench-peer-sluice': at('core/host/bench-vericache/peer/sluice-side-process.ts'),
  'bench-peer-transformers': at('core/host/bench-vericache/peer/transformers-side-process.ts'),
  'bench-lab-writer': at('core/host/bench-lab/writer-process.ts'),
  'bench-fleet-boxes': at('core/host/bench-fleet/boxes-process.ts'),
  'bench-live-device': at('core/host/bench-offload/live/device-process.ts'),
  'bench-soak-faults': at('core/host/bench-soak/faults/faulty-process.ts'),
};

export default defineConfig({
  main: {
    build: {
      target: 'node18',
      // Plain scripts in many files: each file that Node looks up, reads and compiles alone delays the window's start.
      externalizeDeps: { exclude: ['zod', 'image-size', 'undici', '@msgpack/msgpack'] },
      rolldownOptions: { input: nodeEntries, output: { format: 'cjs', entryFileNames: '[name].js' } },
    },
  },
  preload: {
    build: {
      target: 'node18',
      rolldownOptions: {
        input: { index: at('preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].js' },
      },
    },
  },
  renderer: {
    root: at('renderer'),
    plugins: [react()],
    build: {
      target: 'chrome114',
      // electron-vite leaves it out, and the window parses 2 MB at each start.
      minify: true,
      rolldownOptions: {
        // Loading a module of ours does nothing but define: an index.ts then brings only what is used of it, and a panel's parts
        // stay out of what the window starts with.
        treeshake: { moduleSideEffects: (id) => !/\/renderer\/(?!main\.tsx).*\.tsx?$/.test(id) },
        input: { index: at('renderer/index.html'), 'bench-timeline': at('renderer/bench-timeline.html') },
      },
    },
  },
});
