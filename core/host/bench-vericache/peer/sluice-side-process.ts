/** Entry of the process that decodes with Sluice, for comparison with transformers.js. */
import { engineClockMs } from '../../../base';
import { SluiceError } from '../../../contract';
import { openLanguageModel, type LanguageModel } from '../../../llm';
import { OrtEnvironment } from '../../../ort';
import { obey } from '../../bench/commanded-process';
import type { Decoded, Opened, Prefilled, SideCommand, SideModel } from './side-protocol';

class SluiceSide {
  private cache: ReturnType<LanguageModel['decoder']['createCache']> | undefined;
  private first = 0;
  private promptTokens = 0;

  private constructor(private readonly model: LanguageModel) {}

  static async open({ ggufPath, precision, threads }: SideModel): Promise<SluiceSide> {
    const environment = OrtEnvironment.open({ threads });
    return new SluiceSide(await openLanguageModel(ggufPath, environment, { precision }));
  }

  async prefill(prompt: readonly number[], newTokens: number): Promise<void> {
    const { decoder } = this.model;
    this.cache = decoder.createCache(prompt.length + newTokens + 1);
    this.first = argmax(await decoder.forward(prompt, this.cache, 1));
    this.promptTokens = prompt.length;
  }

  async decode(newTokens: number): Promise<Omit<Decoded, 'rssBytes'>> {
    const { cache, first } = this;
    if (!cache) throw new SluiceError('internal', 'No prompt was computed.');
    cache.truncate(this.promptTokens);
    const { decoder } = this.model;
    // As on the other side, the pass of the prompt's token comes before the clock starts.
    let token = argmax(await decoder.forward([first], cache, 1));
    const tokens: number[] = [];
    const startMs = engineClockMs();
    while (tokens.length < newTokens) {
      token = argmax(await decoder.forward([token], cache, 1));
      tokens.push(token);
    }
    return { tokens, decodeMs: engineClockMs() - startMs };
  }
}

function argmax(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token += 1) if (logits[token]! > logits[best]!) best = token;
  return best;
}

let side: SluiceSide | undefined;

async function handle(command: SideCommand): Promise<Opened | Prefilled | Decoded | undefined> {
  const startMs = engineClockMs();
  switch (command.kind) {
    case 'open':
      side = await SluiceSide.open(command.model);
      return { loadMs: engineClockMs() - startMs };
    case 'prefill':
      await side?.prefill(command.prompt, command.newTokens);
      return { prefillMs: engineClockMs() - startMs };
    case 'decode': {
      if (!side) throw new SluiceError('internal', 'No model is open.');
      return { ...(await side.decode(command.newTokens)), rssBytes: process.memoryUsage.rss() };
    }
    case 'end':
      return undefined;
  }
}

obey(handle, ({ kind }) => kind === 'end');
