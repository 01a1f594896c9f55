import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { parseBytes } from '../../base';
import { DEFAULT_LANGUAGE_SETTINGS } from '../../contract';
import type { GenerateCommandOptions } from '../language/generate-options';
import { execute } from './context';
import { countOf } from './option-values';

/** `sluice generate MODEL`: a language model's reply, as it comes. */
export function addGenerateCommand(program: Command): void {
  program
    .command('generate')
    .argument('<model>', 'name of a language model in the library, a .gguf file or a folder')
    .description('let a language model reply to a prompt, or continue it')
    .requiredOption('--prompt <text>', 'the prompt; @FILE reads it from a file')
    .option('--system <text>', 'the system message (default: what the model came with)')
    .option('--raw', 'continue the prompt as it is, without the chat template')
    .addOption(
      new Option('--kv <cache>', 'how keys and values of past tokens are kept')
        .choices(['full', 'vericache', 'lossy'])
        .default('full'),
    )
    .option(
      '--compressor <name>',
      'for vericache and lossy: how the cache in memory is compressed',
      DEFAULT_LANGUAGE_SETTINGS.compressor,
    )
    .option(
      '--ratio <r>',
      'bytes of the full cache over those of the compressed one',
      numberOf,
      DEFAULT_LANGUAGE_SETTINGS.ratio,
    )
    .option(
      '--budget <size>',
      'memory of all caches, like 64MiB (default: as little as works well)',
      bytesOf,
      0,
    )
    .option(
      '--weights-budget <size>',
      'memory of the weights; what does not fit is read from disk for every pass (default: all are loaded)',
      bytesOf,
    )
    .option('--draft-length <n>', 'tokens drafted a round (default: it adapts)', draftLengthOf, 'auto')
    .option('--no-lookup', 'propose no repetitions of earlier text')
    .option(
      '--draft-model <model>',
      'for vericache: a small model of the same vocabulary that proposes tokens; its memory comes on top of the budget',
    )
    .option(
      '--remote <url>',
      'for vericache and lossy: a "sluice serve" that keeps the full cache of the prompt, and computes it once',
    )
    .option('--remote-token-file <file>', 'file with the bearer token of that node')
    .option('--remote-model <name>', "the model's name there (default: the name here)")
    .option(
      '--max-tokens <n>',
      'tokens to generate at most (default: 512, or what the context leaves)',
      countOf,
    )
    .option('--temperature <t>', '0: the most probable token each time', numberOf, 0)
    .option('--top-p <p>', 'only the most probable tokens, up to this sum', numberOf, 1)
    .option('--min-p <p>', 'only tokens this probable relative to the best', numberOf, 0)
    .option('--seed <n>', 'the same seed gives the same text (default: any)', numberOf)
    .option('--stop <text>', 'ends the reply; may be given several times', another)
    .option('--threads <n>', 'threads to compute with (default: SLUICE_THREADS, or the cores)', countOf)
    .action((model: string, options: GenerateCommandOptions, command: Command) =>
      execute(command, async (context) => {
        // The other commands need not wait for the tokenizer's libraries to load.
        const { generateReply } = await import('../language/generate-reply');
        return generateReply(context, model, options);
      }),
    );
}

function bytesOf(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError('Expected bytes, or a size like 64MiB.');
}

function draftLengthOf(text: string): number | 'auto' {
  return text === 'auto' ? text : countOf(text);
}

/** Ranges are checked together, by the sampler. */
function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}

function another(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
