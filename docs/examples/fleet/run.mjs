// Two boxes attached, a model pushed to both, and the overview of the fleet. Both run on this machine here.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { check, sluice, startHost } from '../sluice.mjs';

const MODEL = 'ppocr-rec';
const NAMES = ['gate', 'yard'];

const folder = mkdtempSync(join(tmpdir(), 'sluice-fleet-'));
const tokens = Object.fromEntries(NAMES.map((name) => [name, `token-of-${name}-${process.pid}`]));
// Commands read the tokens of boxes from this file; they are written down nowhere else.
process.env.SLUICE_FLEET_TOKENS_FILE = join(folder, 'tokens.json');
writeFileSync(process.env.SLUICE_FLEET_TOKENS_FILE, JSON.stringify(tokens));

const hosts = [];
try {
  await sluice('models', 'import', '--example');
  for (const name of NAMES) {
    const tokenFile = join(folder, `${name}.token`);
    writeFileSync(tokenFile, tokens[name]);
    const options = ['--tls', 'self-signed', '--token-file', tokenFile, '--data-dir', join(folder, name)];
    const host = await startHost(...options);
    hosts.push(host);
    const { port, certificateFingerprint } = host;
    const url = `https://127.0.0.1:${port}`;
    const pinned = ['--token-file', tokenFile, '--fingerprint', certificateFingerprint];
    const box = await sluice('fleet', 'add', url, '--name', name, ...pinned);
    check(box.state === 'online', `${name} is online, by the certificate it printed`);
  }

  const push = await sluice('fleet', 'push', MODEL, '--to', NAMES.join(','));
  check(
    push.boxes.every(({ state }) => state === 'done'),
    `${MODEL} is on ${push.boxes.length} boxes, ${push.boxes[0].sentBytes} bytes to each`,
  );
  const again = await sluice('fleet', 'push', MODEL, '--to', NAMES.join(','));
  check(
    again.boxes.every(({ sentBytes }) => sentBytes === 0),
    'a box that has it is sent nothing',
  );

  const boxes = await sluice('fleet', 'status');
  check(
    boxes.every(({ figures }) => figures.models.some(({ name }) => name === MODEL)),
    'the overview shows it on each',
  );
} finally {
  for (const name of NAMES.slice(0, hosts.length))
    await sluice('fleet', 'remove', name).catch(() => undefined);
  await Promise.all(hosts.map((host) => host.stop()));
  rmSync(folder, { recursive: true, force: true });
}
