import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../process.mjs';
import { makeDeb } from './deb.mjs';
import { drawIcons } from './icons.mjs';

const canPack = ['/usr/bin/dpkg-deb', '/usr/bin/fakeroot'].every((path) => existsSync(path));
const APP_BYTES = 3_000_000;

/** An application's folder that only looks like one: no Electron for arm64 can be had everywhere. */
describe.skipIf(!canPack)('the Debian package', () => {
  let folder;
  let app;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-deb-'));
    app = join(folder, 'app');
    mkdirSync(join(app, 'resources'), { recursive: true });
    writeFileSync(join(app, 'sluice'), Buffer.alloc(APP_BYTES, 'x'), { mode: 0o755 });
    writeFileSync(join(app, 'resources', 'app.asar'), '');
    writeFileSync(join(app, 'version'), '25.1.1');
    await drawIcons(join(folder, 'icons'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function packed(arch, isPreview) {
    const deb = await makeDeb(
      { path: app, electron: '25.1.1', isPreview },
      { arch, compression: 'gzip', folder: join(folder, arch), icons: join(folder, 'icons') },
    );
    const { output: control } = await run('dpkg-deb', ['--field', deb]);
    const { output: contents } = await run('dpkg-deb', ['--contents', deb]);
    return { deb, control, contents };
  }

  it.each([
    ['x64', 'amd64'],
    ['arm64', 'arm64'],
  ])('for %s names its architecture, size and needs, and holds the service', async (arch, debian) => {
    const { deb, control, contents } = await packed(arch, false);
    expect(deb).toMatch(new RegExp(`sluice_[\\d.]+-1_${debian}\\.deb$`));
    expect(control).toMatch(new RegExp(`^Architecture: ${debian}$`, 'm'));
    const [, kib] = /^Installed-Size: (\d+)$/m.exec(control);
    expect(Number(kib) * 1024).toBeGreaterThanOrEqual(APP_BYTES);
    expect(control).toMatch(/^Depends: .*libgtk-3-0.*libnss3/m);
    expect(control).not.toContain('preview');
    for (const path of [
      'usr/bin/sluice',
      'usr/lib/sluice/sluice',
      'usr/lib/systemd/system/sluice-host.service',
      'usr/lib/sysusers.d/sluice.conf',
      'usr/share/applications/sluice.desktop',
      'usr/share/mime/packages/sluice.xml',
    ]) {
      expect(contents).toMatch(new RegExp(`root/root .* \\./${path}$`, 'm'));
    }
  });

  it('says so where it is a preview', async () => {
    expect((await packed('x64', true)).control).toContain('A preview: it runs on Electron 25.1.1');
  });
});
