import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import builder from 'electron-builder';
import { afterAll, beforeAll, expect, it } from 'vitest';
import config, { filesFor } from '../../../electron-builder.config.mjs';
import { ROOT } from '../paths.mjs';
import { checkNativePackages } from './app-folder.mjs';
import { filesUnder, foreignFiles } from './contents.mjs';

const ORT = 'node_modules/onnxruntime-node';
const ORT_BIN = 'onnxruntime-node/bin/napi-v6';
const ORT_FILES = {
  linux: ['libonnxruntime.so.1'],
  win32: ['onnxruntime.dll'],
  darwin: ['libonnxruntime.1.dylib'],
};
const HEAD_BYTES = 4096;
const elf = (machine) => Buffer.from(`7f454c46${'00'.repeat(14)}${machine}`.padEnd(256, '0'), 'hex');
const pe = (machine) =>
  Buffer.concat([
    Buffer.from('MZ'.padEnd(60, '\0')),
    Buffer.from(`4000000050450000${machine}`.padEnd(256, '0'), 'hex'),
  ]);
const machO = (cpu) => Buffer.from(`cffaedfe${cpu}`.padEnd(256, '0'), 'hex');
const BINARIES = {
  'linux-x64': elf('3e00'),
  'linux-arm64': elf('b700'),
  'win32-x64': pe('6486'),
  'darwin-arm64': machO('0c000001'),
};
const NATIVE = Object.entries(BINARIES).flatMap(([target, content]) => {
  const [gnu, msvc] = [target.startsWith('linux') ? '-gnu' : '', target.startsWith('win32') ? '-msvc' : ''];
  const folder = target.replace('-', '_');
  return [
    [`@koromix/koffi-${target}`, `${folder}/koffi.node`, content],
    [`@libsql/${target}${gnu}${msvc}`, 'index.node', content],
    [`@napi-rs/image-${target}${gnu}${msvc}`, `image.${target}${gnu}${msvc}.node`, content],
    ...(gnu === '' ? [] : musl(target, folder, content)),
  ];
});
function musl(target, folder, content) {
  return [
    [`@koromix/koffi-${target}`, `${folder.replace('linux', 'musl')}/koffi.node`, content],
    [`@libsql/${target}-musl`, 'index.node', content],
    [`@napi-rs/image-${target}-musl`, 'image.node', content],
  ];
}

const PLATFORMS = {
  linux: builder.Platform.LINUX,
  win32: builder.Platform.WINDOWS,
  darwin: builder.Platform.MAC,
};

let folder;
let project;

/** A project with the native packages of every platform, each library no more than its beginning. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-lists-'));
  project = join(folder, 'project');
  const dependencies = Object.fromEntries([
    ...['koffi', 'libsql', '@napi-rs/image', 'onnxruntime-node'].map((name) => [name, '1.0.0']),
    ...NATIVE.map(([name]) => [name, '1.0.0']),
  ]);
  const about = {
    name: 'sluice',
    version: '1.0.0',
    description: 'lists',
    author: 'Sluice',
    main: 'out/main/index.js',
  };
  put('package.json', JSON.stringify({ ...about, dependencies }));
  put('out/main/index.js', '// starts');
  for (const name of Object.keys(dependencies)) {
    put(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0' }));
    put(`node_modules/${name}/index.js`, '');
  }
  for (const [name, path, content] of NATIVE) put(`node_modules/${name}/${path}`, content);
  // The real tree of ONNX Runtime's libraries.
  for (const file of filesUnder(join(ROOT, ORT, 'bin'))) put(relative(ROOT, file), headOf(file));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(path, content) {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), content);
}

function headOf(file) {
  const head = Buffer.alloc(HEAD_BYTES);
  const handle = openSync(file, 'r');
  const bytes = readSync(handle, head);
  closeSync(handle);
  return head.subarray(0, bytes);
}

/** The builder writes into what it is given. */
function fresh(given) {
  return { ...JSON.parse(JSON.stringify(given)), afterPack: given.afterPack };
}

/** As much of an Electron as is packed, and looked into. */
function fakeElectron(target) {
  const at = `../electron-${target}`;
  const [platform] = target.split('-');
  put(`${at}/version`, '25.1.1');
  if (platform === 'darwin') {
    putMacApp(`${at}/Electron.app`, 'Electron', BINARIES[target]);
    for (const kind of ['', ' (GPU)', ' (Plugin)', ' (Renderer)']) {
      const name = `Electron Helper${kind}`;
      putMacApp(`${at}/Electron.app/Contents/Frameworks/${name}.app`, name, BINARIES[target]);
    }
    const framework = 'Electron Framework.framework/Versions/A';
    put(`${at}/Electron.app/Contents/Frameworks/${framework}/Resources/en.lproj/locale.pak`, '');
  } else {
    put(`${at}/${platform === 'win32' ? 'electron.exe' : 'electron'}`, BINARIES[target]);
    put(`${at}/locales/en-US.pak`, '');
    put(`${at}/LICENSE`, 'free');
  }
  return join(project, at);
}

function putMacApp(path, name, binary) {
  const keys = `<key>CFBundleExecutable</key><string>${name}</string><key>CFBundleName</key><string>${name}</string>`;
  put(`${path}/Contents/Info.plist`, `<plist version="1.0"><dict>${keys}</dict></plist>`);
  put(`${path}/Contents/MacOS/${name}`, binary);
  put(`${path}/Contents/Resources/en.lproj/locale.pak`, '');
}

it.each([
  ['linux', 'x64'],
  ['linux', 'arm64'],
  ['win32', 'x64'],
  ['darwin', 'arm64'],
])('for %s %s only its own native libraries are packed', { timeout: 180_000 }, async (platform, arch) => {
  const target = `${platform}-${arch}`;
  const output = join(folder, `made-${target}`);
  await builder.build({
    projectDir: project,
    targets: PLATFORMS[platform].createTarget('dir', builder.Arch[arch]),
    publish: 'never',
    config: {
      ...fresh(config),
      files: filesFor(platform),
      directories: { output, buildResources: join(project, 'icons') },
      electronVersion: '25.1.1',
      electronDist: fakeElectron(target),
      // There is no wire in these binaries, nor a place for an icon.
      electronFuses: null,
      disableAsarIntegrity: true,
      linux: { ...config.linux, icon: undefined },
      win: { ...config.win, icon: undefined, signAndEditExecutable: false },
      mac: { ...config.mac, icon: undefined, identity: null },
    },
  });
  expect(foreignFiles(output, { platform, arch })).toEqual([]);
  const own = NATIVE.filter(([name, path]) => name.includes(target) && !`${name}/${path}`.includes('musl'));
  const packed = filesUnder(output).map((file) => file.replace(/^.*app\.asar\.unpacked\/node_modules\//, ''));
  for (const [name, path] of own) expect(packed).toContain(`${name}/${path}`);
  const libraries = packed.filter((path) => path.startsWith('onnxruntime-node/bin'));
  expect(libraries.sort()).toEqual(
    ORT_FILES[platform].map((name) => `${ORT_BIN}/${platform}/${arch}/${name}`),
  );
});

it('a tree without the native packages of a platform is refused, with how to get them', () => {
  for (const [platform, arch] of [
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['win32', 'x64'],
    ['darwin', 'arm64'],
  ]) {
    expect(() => checkNativePackages(arch, { platform, root: project })).not.toThrow();
  }
  // There is no database for it.
  expect(() => checkNativePackages('arm64', { platform: 'win32', root: project })).toThrow(
    /@koromix\/koffi-win32-arm64.*--cpu=arm64 --os=win32/,
  );
});

it('the configuration names a target for every platform, each with its icon', () => {
  expect([config.linux.target, config.win.target, config.mac.target]).toEqual([
    ['AppImage'],
    ['nsis'],
    ['dmg'],
  ]);
  expect([config.linux.icon, config.win.icon, config.mac.icon].map((path) => path.split('/').at(-1))).toEqual(
    ['png', 'icon.ico', 'icon.icns'],
  );
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
