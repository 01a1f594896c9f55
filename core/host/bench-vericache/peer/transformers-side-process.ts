/** Entry of the process that decodes with transformers.js. It loads nothing of Sluice's runtime. */
import { basename, dirname } from 'node:path';
import { engineClockMs } from '../../../base';
import { SluiceError } from '../../../contract';
import { obey } from '../../bench/commanded-process';
import type { Decoded, Opened, Prefilled, SideCommand, SideModel } from './side-protocol';
import {
  loadTransformers,
  type CausalModel,
  type Int64Tensor,
  type TransformersModule,
} from './transformers-module';

const DTYPES = { packed: 'q4', float32: 'fp32' } as const;

class TransformersSide {
  /** The prompt and the token it gives, and what the model keeps of the prompt. */
  private prompt: { readonly tokens: BigInt64Array; readonly cache: object } | undefined;

  private constructor(
    private readonly library: TransformersModule,
    private readonly model: CausalModel,
  ) {}

  static async open({
    packageFolder,
    exportFolder,
    precision,
    threads,
  }: SideModel): Promise<TransformersSide> {
    const library = loadTransformers(packageFolder);
    library.env.allowRemoteModels = false;
    library.env.localModelPath = dirname(exportFolder);
    const model = await library.AutoModelForCausalLM.from_pretrained(basename(exportFolder), {
      device: 'cpu',
      dtype: DTYPES[precision],
      session_options: { intraOpNumThreads: threads },
    });
    return new TransformersSide(library, model);
  }

  async prefill(prompt: readonly number[]): Promise<void> {
    const { sequences, past_key_values: cache } = (await this.generate(
      BigInt64Array.from(prompt, BigInt),
      1,
      {
        return_dict_in_generate: true,
      },
    )) as { sequences: Int64Tensor; past_key_values: object };
    this.prompt = { tokens: sequences.data, cache };
  }

  async decode(newTokens: number): Promise<Omit<Decoded, 'rssBytes'>> {
    if (!this.prompt) throw new SluiceError('internal', 'No prompt was computed.');
    const { tokens, cache } = this.prompt;
    const timesMs: number[] = [];
    const streamer = { put: () => timesMs.push(engineClockMs()), end: () => undefined };
    // Generation replaces the entries of the cache it is given, not the tensors in them.
    const past = new this.library.DynamicCache({ ...cache });
    const all = (await this.generate(tokens, newTokens + 1, {
      past_key_values: past,
      streamer,
    })) as Int64Tensor;
    // The streamer hears of the prompt first, then of a token that is not timed.
    const [startMs = 0, endMs = 0] = [timesMs[1], timesMs.at(-1)];
    const timed = all.data.subarray(tokens.length + 1);
    return { tokens: Array.from(timed, Number), decodeMs: endMs - startMs };
  }

  private generate(tokens: BigInt64Array, newTokens: number, options: object): Promise<unknown> {
    const { Tensor } = this.library;
    const dims = [1, tokens.length];
    return this.model.generate({
      inputs: new Tensor('int64', tokens, dims),
      attention_mask: new Tensor('int64', new BigInt64Array(tokens.length).fill(1n), dims),
      max_new_tokens: newTokens,
      do_sample: false,
      // An end token would cut the measurement short.
      eos_token_id: null,
      ...options,
    });
  }
}

let side: TransformersSide | undefined;

async function handle(command: SideCommand): Promise<Opened | Prefilled | Decoded | undefined> {
  const startMs = engineClockMs();
  switch (command.kind) {
    case 'open':
      side = await TransformersSide.open(command.model);
      return { loadMs: engineClockMs() - startMs };
    case 'prefill':
      await side?.prefill(command.prompt);
      return { prefillMs: engineClockMs() - startMs };
    case 'decode': {
      if (!side) throw new SluiceError('internal', 'No model is open.');
      const decoded = await side.decode(command.newTokens);
      return { ...decoded, rssBytes: process.memoryUsage.rss() };
    }
    case 'end':
      return undefined;
  }
}

obey(handle, ({ kind }) => kind === 'end');
