import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { defineConfig } from 'vitepress';

const DOCS = join(import.meta.dirname, '..');

/** First heading of a page. */
const titleOf = (path) => /^# (.+)$/m.exec(readFileSync(join(DOCS, path), 'utf8'))?.[1] ?? path;
const page = (link) => ({ text: titleOf(`${link.replace(/\/$/, '/index')}.md`.slice(1)), link });

function decisions() {
  return readdirSync(join(DOCS, 'adr'))
    .filter((name) => /^\d{4}-.*\.md$/.test(name))
    .sort()
    .map((name) => page(`/adr/${name.replace(/\.md$/, '')}`));
}

function examples() {
  const folders = readdirSync(join(DOCS, 'examples'), { withFileTypes: true });
  return folders
    .filter((entry) => entry.isDirectory() && existsSync(join(DOCS, 'examples', entry.name, 'README.md')))
    .map(({ name }) => ({ text: titleOf(`examples/${name}/README.md`), link: `/examples/${name}/README` }));
}

/** Pages of other hands that may not be there. */
const present = (...links) => links.filter((link) => existsSync(join(DOCS, `${link.slice(1)}.md`))).map(page);

export default defineConfig({
  title: 'Sluice',
  description: 'Neural networks beyond the memory of a device',
  lang: 'en',
  outDir: '../out/docs',
  cacheDir: '../out/docs-cache',
  metaChunk: true,
  markdown: { lineNumbers: false },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Guide', link: '/guide/first-result' },
      { text: 'Command line', link: '/reference/' },
      { text: 'Measured', link: '/benches' },
    ],
    sidebar: [
      { text: 'Guide', items: [page('/guide/install'), page('/guide/first-result')] },
      {
        text: 'Systems',
        items: ['streaming', 'language', 'offloading', 'lab', 'serving'].map((name) =>
          page(`/systems/${name}`),
        ),
      },
      {
        text: 'Operate',
        items: [
          ...present(
            '/operate/console',
            '/operate/headless',
            '/operate/fleet',
            '/operate/reports',
            '/security',
          ),
        ],
      },
      { text: 'Reference', items: [page('/reference/'), page('/reference/command-line'), page('/benches')] },
      { text: 'Examples', items: [{ text: 'All', link: '/examples/README' }, ...examples()] },
      { text: 'Decisions', collapsed: true, items: decisions() },
    ],
  },
  // Pages link to the figures' files.
  buildEnd: ({ outDir }) => {
    mkdirSync(join(outDir, 'bench'), { recursive: true });
    for (const name of readdirSync(join(DOCS, 'bench'))) {
      copyFileSync(join(DOCS, 'bench', name), join(outDir, 'bench', name));
    }
  },
});
