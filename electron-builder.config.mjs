import { join } from 'node:path';
import { checkLibraries } from './scripts/lib/package/contents.mjs';
import { slim } from './scripts/lib/package/slim.mjs';

/** What `npm run package` and `npm run package:deb` make installers of; see docs/adr/0026-installers.md. */

/** Where installers and what they are made from are left. */
export const INSTALLERS = 'out/installers';
/** Drawn from renderer/public/icon.svg by scripts/lib/package/icons.mjs. */
export const ICONS = join(INSTALLERS, 'icons');

/**
 * RunAsNode stays on: `sluice` on the command line, the compiler's process and the lab's server are this program run as
 * Node. The archive's integrity is checked where Electron can (macOS, Windows); elsewhere the fuse does nothing.
 */
export const FUSES = {
  runAsNode: true,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: false,
  enableCookieEncryption: true,
  onlyLoadAppFromAsar: true,
  enableEmbeddedAsarIntegrityValidation: process.platform !== 'linux',
  grantFileProtocolExtraPrivileges: false,
};

/** Bundled into out/renderer or out/main, with what they need themselves: in no other form needed where Sluice is installed. */
const BUNDLED = [
  ...['@babel', '@base-ui', '@floating-ui', '@tanstack', 'react', 'react-dom', 'reselect', 'scheduler'],
  ...['tabbable', 'uplot', 'use-sync-external-store', 'zustand'],
  ...['@msgpack', 'image-size', 'undici', 'zod'],
];
/** Of the binding and the installer of ONNX Runtime, of which the C library alone is used. */
const NOT_USED = [
  ...['adm-zip', 'global-agent', 'onnxruntime-common', 'onnxruntime-node/{dist,lib,script}'],
  // Tasks are types alone to the hub's client; the rest are other builds of what is used.
  ...['@huggingface/tasks', '@huggingface/hub/dist/browser', 'protobufjs/dist', 'zod/v3'],
];

/** Other platforms' libraries, which the packages carry all of, and what is for compilers and readers only. */
const LEFT_OUT = [
  ...[...BUNDLED, ...NOT_USED].map((path) => `!node_modules/${path}/**`),
  '!node_modules/koffi/doc/**',
  '!node_modules/koffi/src/**/*.{inc,def,S,asm}',
  '!node_modules/@huggingface/hub/dist/cli.*',
  '!node_modules/pkijs/build/index.es.js',
  '!node_modules/@napi-rs/image-*-musl/**',
  '!node_modules/@koromix/*/musl_*/**',
  '!node_modules/@libsql/*-musl/**',
  '!node_modules/**/*.{ts,mts,cts,map,flow,md,markdown,cc,c,h,hh,hpp,gyp,gypi}',
  '!node_modules/**/{test,tests,__tests__,example,examples,benchmark,benchmarks,docs}/**',
];

const ORT = 'node_modules/onnxruntime-node/bin/napi-v6';
/** The one library of ONNX Runtime that is loaded; macOS's package has it twice. */
const ORT_LIBRARIES = {
  linux: 'libonnxruntime.so.1',
  win32: 'onnxruntime.dll',
  darwin: 'libonnxruntime.1.dylib',
};

/**
 * What is packed for a platform. Of packages, patterns can only take away; and a list of a platform's own would pack the
 * whole repository, unless it names files too.
 */
export function filesFor(platform) {
  return [
    'package.json',
    'out/{main,preload,renderer}/**',
    '!out/renderer/{bench-timeline.html,assets/bench-timeline*}',
    '!out/**/*.map',
    // Read as files, not bundled.
    'core/serving/protocol/*.proto',
    'core/vision/{examples,labels}/**',
    'core/host/lab/example/programs/**',
    '!core/**/*.ts',
    ...LEFT_OUT,
    `!node_modules/@koromix/koffi-!(${platform}-\${arch})/**`,
    `!node_modules/@libsql/!(${platform}-\${arch}*)/**`,
    `!node_modules/@napi-rs/image-!(${platform}-\${arch}*)/**`,
    `!${ORT}/!(${platform})/**`,
    `!${ORT}/${platform}/!(\${arch})/**`,
    `!${ORT}/${platform}/*/!(${ORT_LIBRARIES[platform]})`,
  ];
}

/** Electron-builder's numbers of them. */
const ARCHS = { 1: 'x64', 3: 'arm64' };

export default {
  appId: 'dev.sluice.console',
  productName: 'Sluice',
  executableName: 'sluice',
  copyright: 'Sluice',
  directories: { output: INSTALLERS, buildResources: ICONS },
  npmRebuild: false,
  nodeGypRebuild: false,
  removePackageScripts: true,
  electronLanguages: ['en-US'],
  electronFuses: FUSES,
  afterPack: async ({ appOutDir, arch, electronPlatformName }) => {
    if (electronPlatformName === 'linux') await slim(appOutDir);
    checkLibraries(appOutDir, { platform: electronPlatformName, arch: ARCHS[arch] });
  },
  asar: true,
  files: filesFor(process.platform),
  // The archive is what Electron starts from, and keeps no file's content: workers, native libraries, `import` of packages
  // (before Electron 28), programs copied for users and a Node that is not Electron's can not look into one.
  asarUnpack: ['**/*'],
  fileAssociations: [
    { ext: 'onnx', name: 'ONNX model', mimeType: 'application/x-onnx', role: 'Viewer' },
    { ext: 'gguf', name: 'GGUF language model', mimeType: 'application/x-gguf', role: 'Viewer' },
  ],
  // Written into the application, and read only where updates are switched on (main/updates).
  publish: { provider: 'generic', url: 'https://updates.invalid/', channel: 'latest' },
  // The runtime that needs no libfuse2 where it starts. The older one's menu entry switches Chromium's sandbox off.
  toolsets: { appimage: '1.0.3' },
  linux: {
    target: ['AppImage'],
    // The deb is made by scripts/package-deb.mjs: electron-builder's own needs a download, and has no place for a unit.
    category: 'Development',
    synopsis: 'Run neural networks from SSD under a memory budget',
    icon: join(ICONS, 'png'),
    desktop: { entry: { StartupWMClass: 'sluice', Keywords: 'onnx;gguf;inference;model;' } },
  },
  win: {
    target: ['nsis'],
    icon: join(ICONS, 'icon.ico'),
  },
  nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true },
  mac: {
    target: ['dmg'],
    icon: join(ICONS, 'icon.icns'),
    category: 'public.app-category.developer-tools',
    hardenedRuntime: true,
  },
};
