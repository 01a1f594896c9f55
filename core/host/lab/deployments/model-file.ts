import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';

import { formatBytes } from '../../../base';
import { SluiceError } from '../../../contract';
import { readModel, writeModel } from '../../../onnx';
import { sha256OfFile } from '../../../storage';
import type { ArtifactFile, RegistryClient } from './registry-client';

/** An ONNX model in one file. */
export interface ModelFile {
  readonly path: string;
  readonly fileBytes: number;
  readonly sha256: string;
}

const MLMODEL = 'MLmodel';
const MOST_NAMED = 8;
const MOST_EXTERNAL = 1000;

/**
 * Fetches the ONNX model of a registered version; weights that stand in files beside it are put into it.
 * @param folder is empty, and the caller's to remove.
 * @throws SluiceError `unsupported` saying what it is when it is no ONNX model, `bad-model`, `not-found`, `io`, `cancelled`.
 */
export async function fetchModelFile(
  registry: RegistryClient,
  { model, version }: { readonly model: string; readonly version: number },
  folder: string,
  signal?: AbortSignal,
): Promise<ModelFile> {
  const name = `${model} version ${version}`;
  const place = await registry.placeOf(model, version);
  const files = await registry.files(place);
  const onnx = files.length === 0 ? place : posix.join(place, await onnxAmong(registry, name, place, files));
  const source = join(folder, 'source');
  const path = join(source, 'model.onnx');
  await mkdir(source);
  const sha256 = await registry.download(onnx, path, signal);
  const missing = await missingData(name, onnx, path, signal);
  if (missing.length === 0) return { path, fileBytes: (await stat(path)).size, sha256 };
  for (const location of missing) {
    const to = join(source, location);
    await mkdir(dirname(to), { recursive: true });
    await registry.download(posix.join(posix.dirname(onnx), location), to, signal);
  }
  const whole = join(folder, 'whole.onnx');
  await writeModel(await readModel(path), whole, signal ? { signal } : {});
  const { size } = await stat(whole);
  const range = { offset: 0, byteLength: size };
  return { path: whole, fileBytes: size, sha256: await sha256OfFile(whole, range, undefined, signal) };
}

/** @returns files that the model needs beside it. @throws SluiceError `unsupported`, `bad-model`. */
async function missingData(
  name: string,
  onnx: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  try {
    await readModel(path, signal ? { signal } : {});
    return [];
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    const { missing } = error.details;
    if (error.code !== 'bad-model') throw error;
    if (Array.isArray(missing) && missing.length > 0 && missing.length <= MOST_EXTERNAL) {
      return missing as readonly string[];
    }
    const file = posix.basename(onnx);
    const reason = error.message.replace(path, file);
    throw new SluiceError(
      'unsupported',
      `${name} can't be served: ${reason}. Export it to ONNX and register that.`,
      { name, file },
      { cause: error },
    );
  }
}

async function onnxAmong(
  registry: RegistryClient,
  name: string,
  place: string,
  files: readonly ArtifactFile[],
): Promise<string> {
  const found = files.filter(({ path }) => path.toLowerCase().endsWith('.onnx')).map(({ path }) => path);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const isMlflow = files.some(({ path }) => path === MLMODEL);
  const description = isMlflow ? parseMlmodel(await registry.text(posix.join(place, MLMODEL))) : undefined;
  const named = found.find((path) => path === description?.onnxFile);
  if (named !== undefined) return named;
  if (first !== undefined) {
    throw new SluiceError(
      'unsupported',
      `${name} holds several ONNX models: ${found.slice(0, MOST_NAMED).join(', ')}; register one of them by its path.`,
      { name },
    );
  }
  const what = description
    ? `an MLflow model of ${description.flavors.join(', ') || 'no flavor'}`
    : `a folder with ${files.slice(0, MOST_NAMED).map(fileText).join(', ')}`;
  throw new SluiceError(
    'unsupported',
    `${name} is ${what}, expected an ONNX model (a .onnx file, or what mlflow.onnx.log_model writes). Export it to ONNX and register that.`,
    { name, flavors: description?.flavors ?? [] },
  );
}

function fileText({ path, sizeBytes }: ArtifactFile): string {
  return `${path} (${formatBytes(sizeBytes)})`;
}

/** The two lines of MLmodel's YAML that matter here: names below `flavors`, and the file of `onnx`. */
function parseMlmodel(text: string): { readonly flavors: readonly string[]; readonly onnxFile?: string } {
  const [, block = ''] = /^flavors:\s*\n((?:[ \t]+.*(?:\n|$)|\n)*)/m.exec(text) ?? [];
  const flavors = [...block.matchAll(/^ {2}([\w.-]+):/gm)].map(([, flavor = '']) => flavor);
  const [, onnxFile] =
    /^ {2}onnx:\s*\n(?: {4,}.*\n)*? {4}data: *["']?([^"'\n]+?)["']?\s*$/m.exec(block) ?? [];
  return {
    flavors: flavors.filter((flavor) => flavor !== 'python_function'),
    ...(onnxFile !== undefined && { onnxFile }),
  };
}
