import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { formatBytes, parseBytes } from '../../base';
import { PIPELINE_MODES, SluiceError } from '../../contract';
import type { ModelSummary, PipelineMode, RunInput, RunRecord, RunRequest } from '../../contract';
import { ioError } from '../../storage';
import { parseInput } from '../schemas';
import type { Services } from '../services';
import { execute, onCancel } from './context';
import type { CommandContext, Outcome } from './context';
import { saveRunReport } from './report';
import { formatMs } from './table';
import { countOf } from './option-values';

interface RunOptions {
  readonly input: string;
  readonly budget?: string;
  readonly mode?: PipelineMode;
  readonly trace?: string;
  readonly report?: string;
  readonly repeat: number;
  readonly period?: number;
  readonly deadline?: number;
  readonly seed: number;
  readonly freeDim?: number;
}

/** `sluice run MODEL`: one or several inferences in this process. */
export function addRunCommand(program: Command): void {
  program
    .command('run')
    .argument('<model>', 'name in the library')
    .description('run a network on an input')
    .requiredOption('--input <what>', 'an image, .json or .npy file; example:ID; or random')
    .option('--budget <size>', 'parameter memory: bytes, 4MiB, or 12% of the weights')
    .addOption(
      new Option(
        '--mode <mode>',
        'how weights are held (default: async with a budget, resident without)',
      ).choices(PIPELINE_MODES),
    )
    .option('--trace <file>', 'write the last inference as Chrome trace JSON')
    .option(
      '--report <file>',
      'write a report of the run: .html, or .pdf where there is a Chromium or Chrome',
    )
    .option('--repeat <n>', 'inferences to make', countOf, 1)
    .option('--period <ms>', 'start an inference every so often', millisecondsOf)
    .option('--deadline <ms>', 'count longer responses as missed (default: the period)', millisecondsOf)
    .option('--seed <n>', 'of random input', countOf, 1)
    .option('--free-dim <n>', 'what free dimensions of random input become', countOf)
    .action((model: string, options: RunOptions, command: Command) =>
      execute(command, (context) => runModel(context, model, options)),
    );
}

function millisecondsOf(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected milliseconds above 0.');
}

async function runModel(context: CommandContext, model: string, options: RunOptions): Promise<Outcome> {
  const services = await context.services();
  const request = requestOf(services.models.summary(model), options);
  const runId = services.runs.start(request, { inferences: options.repeat });
  if (options.repeat > 1) context.log(`running ${model} ${options.repeat} times; Ctrl-C stops it`);
  const unlisten = onCancel(context.signal, () => services.runs.stop(runId));
  const record = await services.runs.finished(runId);
  unlisten();
  if (record.error) throw SluiceError.fromWire(record.error);
  if (record.state === 'cancelled') throw new SluiceError('cancelled', `The run of ${model} was cancelled.`);
  if (options.trace !== undefined) await writeTrace(services, runId, resolve(options.trace));
  const report =
    options.report === undefined ? undefined : await saveRunReport(context, record.id, options.report);
  const written = report === undefined ? '' : `\nreport written to ${report}`;
  return {
    json: { ...runJson(record, options), ...(report !== undefined && { report }) },
    text: `${await runText(record, options)}${written}`,
  };
}

/** Checked by the same schema as requests from elsewhere. */
function requestOf(summary: ModelSummary, options: RunOptions): RunRequest {
  const { repeat, period, deadline } = options;
  const budgetBytes = options.budget === undefined ? undefined : sizeOf(options.budget, summary.weightBytes);
  const mode = options.mode ?? (budgetBytes === undefined ? 'resident' : 'async');
  if (mode !== 'resident' && budgetBytes === undefined) {
    throw new SluiceError(
      'bad-input',
      `--mode ${mode} needs --budget SIZE; ${summary.name} streams in ${formatBytes(summary.minimumBytes)} or more.`,
      { minimumBytes: summary.minimumBytes },
    );
  }
  return parseInput('runs.start', {
    model: summary.name,
    input: inputOf(options),
    mode,
    repeat: repeat === 1 && period === undefined && deadline === undefined ? 'once' : 'continuous',
    ...(mode !== 'resident' && { budgetBytes }),
    ...(period !== undefined && { periodMs: period }),
    ...(deadline !== undefined && { deadlineMs: deadline }),
  });
}

function sizeOf(text: string, weightBytes: number): number {
  const bytes = parseBytes(text, weightBytes);
  if (bytes !== undefined) return bytes;
  throw new SluiceError('bad-input', `--budget: expected bytes, a size like 4MiB, or 12%, found "${text}".`);
}

function inputOf({ input, seed, freeDim }: RunOptions): RunInput {
  if (input === 'random') return { kind: 'random', seed, ...(freeDim !== undefined && { freeDim }) };
  if (input.startsWith('example:')) return { kind: 'example', id: input.slice('example:'.length) };
  return { kind: 'file', path: resolve(input) };
}

async function writeTrace({ runs }: Services, runId: string, path: string): Promise<void> {
  try {
    const { chromeTrace } = await import('../../layering');
    await writeFile(path, chromeTrace(runs.trace(runId)));
  } catch (cause) {
    throw ioError(`Can't write the trace to ${path}`, cause);
  }
}

function runJson(record: RunRecord, { trace }: RunOptions): object {
  const { stats, plan } = record;
  return {
    runId: record.id,
    model: record.model,
    mode: record.mode,
    input: record.inputName,
    budgetBytes: record.budgetBytes,
    parameterMemoryBytes: plan?.parameterMemoryBytes,
    inferences: stats?.inferences,
    totalMs: stats?.lastMs,
    medianMs: stats?.medianMs,
    p99Ms: stats?.p99Ms,
    stallMs: stats?.lastStallMs,
    readBytes: stats?.readBytesLast,
    missedDeadlines: stats?.missedDeadlines,
    predictedMs: plan?.predictedMs,
    ...(trace !== undefined && { trace: resolve(trace) }),
    result: record.result,
  };
}

async function runText(record: RunRecord, { trace, period, deadline }: RunOptions): Promise<string> {
  const { stats, plan, result } = record;
  const parts = [
    `${record.model} (${record.mode}) on ${record.inputName}`,
    ...(plan ? [`${formatBytes(plan.parameterMemoryBytes)} of parameter memory`] : []),
    ...(stats ? [`read ${formatBytes(stats.readBytesLast)}`] : []),
    ...(stats && stats.inferences > 1
      ? [`${stats.inferences} inferences: median ${formatMs(stats.medianMs)}, p99 ${formatMs(stats.p99Ms)}`]
      : stats
        ? [formatMs(stats.lastMs)]
        : []),
    ...(stats ? [`waited ${formatMs(stats.lastStallMs)}`] : []),
    ...(plan ? [`predicted ${formatMs(plan.predictedMs)}`] : []),
    ...(stats && (period ?? deadline) !== undefined ? [`${stats.missedDeadlines} deadlines missed`] : []),
  ];
  const { resultText } = await import('./result-text');
  const written = trace === undefined ? [] : [`trace written to ${resolve(trace)}`];
  return [...(result ? [resultText(result), ''] : []), parts.join(' · '), ...written].join('\n');
}
