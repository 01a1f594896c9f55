/** Loads a model, with a budget for its weights or without, runs some passes and says how much memory the process had. */
import { readFileSync } from 'node:fs';

import { OrtEnvironment } from '../../../ort';
import { Decoder } from '../../decoder/decoder';
import { ggufSource } from '../../gguf/gguf-source';
import { readGguf } from '../../gguf/read-gguf';

export interface PeakLine {
  /** The most there was, and what weights took of it as the decoder has it. */
  readonly peakBytes: number;
  readonly weightBytes: number;
}

function peakBytes(): number {
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}

async function start([file = '', storeFolder = '', budget = '']: readonly string[]): Promise<void> {
  const environment = OrtEnvironment.open({ threads: 1 });
  const source = ggufSource(await readGguf(file));
  const weights = budget === '' ? {} : { weights: { budgetBytes: Number(budget), storeFolder } };
  const decoder = await Decoder.open(source, environment, weights);
  const cache = decoder.createCache(8);
  for (let pass = 0; pass < 8; pass += 1) await decoder.forward([pass], cache, 1);
  cache.release();
  const { residentBytes, ringBytes, sessionBytes } = decoder.weightMemory();
  const line: PeakLine = {
    peakBytes: peakBytes(),
    weightBytes: residentBytes + ringBytes + sessionBytes,
  };
  process.stdout.write(JSON.stringify(line));
  decoder.close();
  environment.close();
}

void start(process.argv.slice(2));
