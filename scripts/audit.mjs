import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AUDIT_EXCEPTIONS,
  judgeAudit,
  lockFaults,
  manifestFaults,
  readJson,
} from './lib/dependency-checks.mjs';
import { licenceFaults, licencePage, productionPackages } from './lib/licences.mjs';
import { ROOT } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { main, note, warn } from './lib/terminal.mjs';

const PAGE = join(ROOT, 'docs', 'licences.md');
const REGISTRY_TIMEOUT_MS = 60_000;

/** Dependencies: advisories, where they come from, their licences. `--write` brings docs/licences.md up to date. */
await main(async () => {
  const packages = productionPackages();
  const page = licencePage(packages);
  if (process.argv.includes('--write')) writeFileSync(PAGE, page);
  const faults = [
    ...lockFaults(readJson('package-lock.json')),
    ...manifestFaults(readJson('package.json')),
    ...licenceFaults(packages),
    ...(readFileSync(PAGE, 'utf8') === page
      ? []
      : ['docs/licences.md is not up to date: npm run audit -- --write']),
    ...(await advisories()),
  ];
  faults.forEach(warn);
  if (faults.length === 0) note(`${packages.length} shipped packages, all under allowed licences`);
  return faults.length === 0 ? 0 : 1;
});

async function advisories() {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { output } = await run(npm, ['audit', '--omit=dev', '--json'], { timeoutMs: REGISTRY_TIMEOUT_MS });
  const today = new Date().toISOString().slice(0, 10);
  const verdict = judgeAudit(output, AUDIT_EXCEPTIONS, today);
  if (verdict.skipped) {
    note(`advisories: skipped: the registry does not answer audits (${verdict.why})`);
    return [];
  }
  note(`advisories: ${verdict.faults.length} high or critical, ${verdict.below} below`);
  return verdict.faults;
}
