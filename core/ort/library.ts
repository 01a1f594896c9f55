import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { SluiceError } from '../contract';

const FILE_NAMES: Readonly<Record<string, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

/**
 * Path of the ONNX Runtime shared library that the onnxruntime-node package carries for this platform.
 * @param override a path to use instead, e.g. a build with another execution provider.
 * @throws SluiceError `unsupported` when the package has no library for this platform.
 */
export function runtimeLibraryPath(override = process.env['SLUICE_ORT_LIBRARY']): string {
  const path = override ?? bundledLibraryPath();
  if (!existsSync(path)) {
    throw new SluiceError(
      'unsupported',
      `No ONNX Runtime library for ${platform()}-${arch()}: expected ${path}. ` +
        'Install a build for this platform and point SLUICE_ORT_LIBRARY at it.',
      { path },
    );
  }
  return path;
}

function bundledLibraryPath(): string {
  const packageJson = createRequire(__filename).resolve('onnxruntime-node/package.json');
  const fileName = FILE_NAMES[platform()] ?? 'libonnxruntime.so.1';
  return join(dirname(packageJson), 'bin', 'napi-v6', platform(), arch(), fileName);
}
