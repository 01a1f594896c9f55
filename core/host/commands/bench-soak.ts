import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import type { SoakOptions } from '../bench-soak';
import { benchModel } from '../bench-vericache/bench-model';
import { cancellable } from './cancellable';
import { execute } from './context';
import type { CommandContext, Outcome } from './context';
import { EXIT } from './exit-codes';
import { listOf, wholeOf } from './option-values';
import { soakText } from './soak-text';

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly only?: readonly string[];
  readonly faults?: readonly string[];
  readonly languageModel?: string;
  readonly workDir?: string;
}

/** `sluice bench soak`: exit code 1 when anything was lost, wrong, left behind or growing. */
export function addSoakCommand(bench: Command): void {
  bench
    .command('soak')
    .description('every system at work while disks fail, clocks jump and processes are killed')
    .option('--minutes <n>', 'of work; getting ready and looking things up come on top', minutesOf, 10)
    .option('--seed <n>', 'of the work and its faults', wholeOf, 1)
    .option('--only <systems>', 'of layering, language, offload and lab, separated by commas', listOf)
    .option(
      '--faults <kinds>',
      'of disk-error, slow-disk, damaged-block, full-disk, clock-jump, engine-kill, endpoint-kill and lab-kill; none: no faults',
      listOf,
    )
    .option('--language-model <file>', 'a GGUF file (default: SmolLM2 as the tests fetch it, if it is there)')
    .option('--work-dir <dir>', 'where everything is kept, under 1 GB; deleted afterwards')
    .action((options: Options, command: Command) =>
      execute(command, (context) => cancellable(context, soak(context, options))),
    );
}

async function soak({ log, appRoot }: CommandContext, options: Options): Promise<Outcome> {
  const { benchSoak, FAULT_KINDS, SOAK_SYSTEMS } = await import('../bench-soak');
  const { minutes, seed, only, faults, workDir } = options;
  const languageModel = modelOf(appRoot, options.languageModel);
  const given: SoakOptions = {
    minutes,
    seed,
    ...(only && { only: known('system', only, SOAK_SYSTEMS) }),
    ...(faults && { faults: faults.join() === 'none' ? [] : known('fault', faults, FAULT_KINDS) }),
    ...(languageModel !== undefined && { languageModel }),
    ...(workDir !== undefined && { workDir: resolve(workDir) }),
    log,
  };
  const report = await benchSoak(given);
  const isGood = report.bars.every(({ met }) => met);
  return { json: report, text: soakText(report), exitCode: isGood ? EXIT.done : EXIT.failed };
}

/** @throws SluiceError `not-found` for a file that was named. */
function modelOf(appRoot: string, given: string | undefined): string | undefined {
  if (given !== undefined) return benchModel(appRoot, given);
  try {
    const path = benchModel(appRoot, undefined);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined; // not fetched
  }
}

function known<T extends string>(what: string, found: readonly string[], all: readonly T[]): readonly T[] {
  const unknown = found.filter((name) => !(all as readonly string[]).includes(name));
  if (unknown.length === 0) return all.filter((name) => found.includes(name));
  throw new InvalidArgumentError(`No ${what} is called ${unknown.join(', ')}; there are ${all.join(', ')}.`);
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (minutes > 0 && minutes <= 7 * 24 * 60) return minutes;
  throw new InvalidArgumentError('Expected minutes, more than 0 and at most a week of them.');
}
