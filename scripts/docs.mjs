// Builds the documentation site into out/docs. Usage: node scripts/docs.mjs [--reference | --serve]
//   --reference  only writes docs/reference/command-line.md from the commands' help
//   --serve      shows the site while docs/ is edited
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { loadCliProgram } from './lib/cli-program.mjs';
import { cliReference } from './lib/cli-reference.mjs';
import { ROOT } from './lib/paths.mjs';

writeFileSync(join(ROOT, 'docs/reference/command-line.md'), cliReference(await loadCliProgram()));
if (!process.argv.includes('--reference')) {
  const vitepress = join(ROOT, 'node_modules/vitepress/bin/vitepress.js');
  const what = process.argv.includes('--serve') ? 'dev' : 'build';
  const { status } = spawnSync(process.execPath, [vitepress, what, join(ROOT, 'docs')], {
    stdio: 'inherit',
    cwd: ROOT,
  });
  if (status === 0 && what === 'build')
    console.log(`The site stands in ${join(ROOT, 'out', 'docs')}; see it with "npx vitepress preview docs".`);
  process.exitCode = status ?? 1;
}
