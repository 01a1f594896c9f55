import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { WEIGHTS_FILE } from '../../layering';
import type { OrtEnvironment } from '../../ort';
import { ioError, syncFolder } from '../../storage';
import type { LayerGraphOptions } from '../decoder/layer-graphs';
import { nextStep } from '../decoder/resident-steps';
import { headParts, headStepGraph, layerStepGraph, layerSteps } from '../decoder/step-graphs';
import type { RowRange, TensorReader } from '../source/tensor-reader';
import { packStep } from './store-step';
import {
  MANIFEST_FILE,
  manifestText,
  type StoredStep,
  type StoredSteps,
  type StoreIdentity,
} from './stored-steps';

export interface CompileOptions extends LayerGraphOptions {
  /** Where the store is to be; one that is there is replaced. Its parent is made. */
  readonly folder: string;
  readonly identity: StoreIdentity;
  readonly signal?: AbortSignal;
}

/**
 * Lays a decoder out for streaming, one step in memory at a time. The store comes in one piece: ended at any moment, it
 * is there whole or not at all.
 * @throws SluiceError `unsupported`, `bad-model`, `io` (a full disk too), `runtime`, `cancelled`; nothing is left then.
 */
export async function compileSteps(
  reader: TensorReader,
  environment: OrtEnvironment,
  options: CompileOptions,
): Promise<StoredSteps> {
  const { folder, identity } = options;
  const parts = headParts(options.config);
  const staged = `${folder}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(staged, { recursive: true });
    const written = await writeSteps(reader, environment, staged, parts, options);
    const steps = { identity, headParts: parts, ...written };
    await writeSynced(join(staged, MANIFEST_FILE), manifestText({ ...steps, headParts: [...parts] }));
    await syncFolder(staged);
    await moveIn(staged, folder);
    return { folder, ...steps, headParts: [...parts] };
  } catch (cause) {
    throw ioError(`Can't lay out the weights in ${folder}`, cause);
  } finally {
    await rm(staged, { recursive: true, force: true });
  }
}

async function writeSteps(
  reader: TensorReader,
  environment: OrtEnvironment,
  staged: string,
  parts: readonly RowRange[],
  options: CompileOptions,
): Promise<{ readonly steps: StoredStep[]; readonly isMeasured: boolean }> {
  const layers = layerSteps(options.config);
  const steps: StoredStep[] = [];
  let isMeasured = true;
  let fileOffset = 0;
  const file = await open(join(staged, WEIGHTS_FILE), 'wx');
  try {
    for (let index = 0; index < layers + parts.length; index += 1) {
      await nextStep(options.signal);
      const part = parts[index - layers];
      const model = part ? headStepGraph(reader, options, part) : layerStepGraph(reader, options, index);
      const packed = await packStep(model, environment, join(staged, 'step.ort'));
      try {
        await writeWhole(file, packed.bytes, fileOffset);
      } finally {
        packed.release();
      }
      const name = part ? `head ${index - layers}` : `layer step ${index}`;
      steps.push({ name, fileOffset, ...packed.facts });
      isMeasured &&= packed.isMeasured;
      fileOffset += packed.bytes.byteLength;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { steps, isMeasured };
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    done += bytesWritten;
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flush: true });
}

/** Whoever reads the store that was there has its file open. */
async function moveIn(staged: string, folder: string): Promise<void> {
  const aside = `${folder}.${randomBytes(4).toString('hex')}.old.tmp`;
  const isThere = existsSync(folder);
  if (isThere) await rename(folder, aside);
  await rename(staged, folder);
  await syncFolder(dirname(folder));
  if (isThere) await rm(aside, { recursive: true, force: true });
}
