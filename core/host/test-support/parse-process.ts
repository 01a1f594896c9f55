/** Reads files that may be damaged, in a process with little memory: each message is one, each answer what became of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { SluiceError } from '../../contract';
import { readLanguageModelFacts, readVocabulary } from '../../llm';
import { checkModel, readModel, topologicalOrder, valueTypes } from '../../onnx';
import { decodeImage, parseNpy } from '../../vision';

export type Format = 'onnx' | 'language' | 'image' | 'npy';

export interface ParseRequest {
  readonly format: Format;
  /** Relative to the folder of the process; the sound rest of a model's folder is there already. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface ParseAnswer {
  /** Undefined: it was read. */
  readonly error?: { readonly code: string; readonly message: string; readonly stack: string };
  /** The most memory that the process ever had. */
  readonly peakBytes: number;
}

const folder = process.argv[2] ?? '';
const MEMORY_LIMIT_BYTES = 64 * 2 ** 20;

async function parse({ format, bytes }: ParseRequest, path: string): Promise<void> {
  switch (format) {
    case 'onnx': {
      const model = await readModel(path, { memoryLimitBytes: MEMORY_LIMIT_BYTES });
      checkModel(model);
      topologicalOrder(model.graph);
      valueTypes(model.graph);
      return;
    }
    case 'language': {
      const model = path.endsWith('.gguf') ? path : dirname(path);
      await readLanguageModelFacts(model);
      await readVocabulary(model);
      return;
    }
    case 'image':
      await decodeImage(bytes, { name: 'an image' });
      return;
    case 'npy':
      parseNpy(bytes, 'a tensor');
  }
}

async function answer(request: ParseRequest): Promise<ParseAnswer> {
  const path = join(folder, request.file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, request.bytes);
  const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;
  try {
    await parse(request, path);
    return { peakBytes: peakBytes() };
  } catch (thrown) {
    const { code, message } = SluiceError.from(thrown);
    const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
    return { error: { code, message, stack }, peakBytes: peakBytes() };
  }
}

process.on('message', (request: ParseRequest) => void answer(request).then((said) => process.send?.(said)));
