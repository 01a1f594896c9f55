import { readFile, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';

import { Option } from 'commander';
import type { Command } from 'commander';

import { systemClock } from '../../base';
import { SluiceError } from '../../contract';
import type { MadeReport, ReportSubject, RunRecord } from '../../contract';
import { withLab } from '../lab/connection/lab-connection';
import { ioError } from '../../storage';
import { execute } from './context';
import type { CommandContext, Outcome } from './context';
import { formatMs, table } from './table';

interface ReportOptions {
  readonly format?: 'html' | 'pdf';
  readonly output?: string;
  readonly labDir?: string;
}

/** `sluice report ...`: a run, a comparison or a bench's figures as one file to send around. */
export function addReportCommands(program: Command): void {
  const report = program
    .command('report')
    .description('write a run, a comparison or a benchmark as HTML or PDF');
  report
    .command('list')
    .description('the runs of streamed networks that are remembered')
    .action((_options: object, command: Command) => execute(command, listRuns));
  written(report.command('run').argument('[run]', 'its id or the beginning of it', 'latest'))
    .description('a run of a streamed network')
    .action((run: string, options: ReportOptions, command: Command) =>
      execute(command, (context) => makeAndSave(context, { kind: 'run', run }, options)),
    );
  written(report.command('bench').argument('<file>', 'what "sluice bench ... --json" printed'))
    .description('the figures of a benchmark')
    .action((file: string, options: ReportOptions, command: Command) =>
      execute(command, (context) => benchOutcome(context, file, options)),
    );
  withLabDir(written(report.command('lab-run').argument('<run>', 'user/dataset/N, or a run id')))
    .description('a run of the lab')
    .action((run: string, options: ReportOptions, command: Command) =>
      execute(command, (context) => makeAndSave(context, { kind: 'labRun', run }, options)),
    );
  withLabDir(
    written(
      report
        .command('compare')
        .argument('<runs...>', 'two of streamed networks, or two to twelve of the lab'),
    ),
  )
    .description('runs beside each other')
    .action((runs: readonly string[], options: ReportOptions, command: Command) =>
      execute(command, (context) => compare(context, runs, options)),
    );
}

function written(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--format <format>',
        'PDF needs a Chromium or Chrome (default: by the name of -o, else html)',
      ).choices(['html', 'pdf']),
    )
    .option('-o, --output <file>', 'where to write it (default: named by its title, in this folder)');
}

function withLabDir(command: Command): Command {
  return command.option('--lab-dir <dir>', "the lab's folder (default: lab in the data folder)");
}

async function listRuns(context: CommandContext): Promise<Outcome> {
  const { runs } = await context.services();
  const records = runs.list();
  const json = records.map(({ id, model, mode, inputName, startedAt, state, hasTrace, stats }) => ({
    id,
    model,
    mode,
    input: inputName,
    startedAt,
    state,
    hasTrace,
    ...(stats && { medianMs: stats.medianMs }),
  }));
  const text = table<RunRecord>(
    [
      { title: 'run', text: ({ id }) => id.slice(0, 8) },
      { title: 'model', text: ({ model }) => model },
      { title: 'input', text: ({ inputName }) => inputName },
      { title: 'mode', text: ({ mode }) => mode },
      { title: 'state', text: ({ state }) => state },
      { title: 'median', text: ({ stats }) => (stats ? formatMs(stats.medianMs) : ''), align: 'right' },
      { title: 'started', text: ({ startedAt }) => startedAt.slice(0, 19).replace('T', ' ') },
    ],
    records,
  );
  return {
    json,
    text: records.length === 0 ? 'No runs yet: "sluice run MODEL --input ..." makes one.' : text,
  };
}

async function compare(
  context: CommandContext,
  runs: readonly string[],
  options: ReportOptions,
): Promise<Outcome> {
  const [from, to, ...more] = runs;
  if (from === undefined || to === undefined) {
    throw new SluiceError('bad-input', 'A comparison takes two runs or more.');
  }
  // Names of the lab's runs have slashes, and their ids no dashes.
  const isLab = more.length > 0 || runs.some((run) => run.includes('/') || /^[0-9a-f]{32}$/.test(run));
  return makeAndSave(context, isLab ? { kind: 'labRuns', runs } : { kind: 'runs', from, to }, options);
}

async function makeAndSave(
  context: CommandContext,
  what: ReportSubject,
  options: ReportOptions,
): Promise<Outcome> {
  return saveReport(context, await makeReportOf(context, what, options), options);
}

async function makeReportOf(
  context: CommandContext,
  what: ReportSubject,
  { labDir }: ReportOptions,
): Promise<MadeReport> {
  const { makeReport } = await import('../report/make-report');
  const services = await context.services();
  const make = (lab: Parameters<typeof makeReport>[1]['lab']): Promise<MadeReport> =>
    makeReport(what, { services, lab, nowMs: systemClock.nowMs() });
  if (what.kind === 'run' || what.kind === 'runs') {
    return make(() => Promise.reject(new SluiceError('internal', 'This report needs no lab.')));
  }
  const place = labDir === undefined ? {} : { labDir: resolve(labDir) };
  return withLab(context, place, ({ api }) => make(() => Promise.resolve(api)));
}

/** The report of a run that this process just made; it has the spans too. */
export async function saveRunReport(context: CommandContext, run: string, path: string): Promise<string> {
  const options: ReportOptions = { output: path };
  const { file } = await save(context, await makeReportOf(context, { kind: 'run', run }, options), options);
  return file;
}

async function benchOutcome(context: CommandContext, file: string, options: ReportOptions): Promise<Outcome> {
  const { benchReport, fileName, renderPage } = await import('../../report');
  const { provenanceOf } = await import('../report/provenance');
  const path = resolve(file);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw ioError(`Can't read ${path}`, cause);
  });
  const report = benchReport(jsonOf(text, path), basename(path));
  const command = `sluice report bench ${basename(path)}`;
  const provenance = provenanceOf({ appRoot: context.appRoot, nowMs: systemClock.nowMs(), command });
  const { title, html } = renderPage(report, provenance);
  return saveReport(
    context,
    { name: fileName('bench', basename(path).replace(/\.json$/, '')), title, html },
    options,
  );
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `${path} is no JSON: ${reason}. Expected what "sluice bench ... --json" printed.`,
      {},
      { cause },
    );
  }
}

interface Saved {
  readonly file: string;
  readonly format: 'html' | 'pdf';
  readonly bytes: number;
}

async function save(
  context: CommandContext,
  report: MadeReport,
  { format, output }: ReportOptions,
): Promise<Saved> {
  const wanted = format ?? (output?.toLowerCase().endsWith('.pdf') ? 'pdf' : 'html');
  const file = resolve(output ?? report.name.replace(/\.html$/, `.${wanted}`));
  const content = wanted === 'html' ? Buffer.from(report.html) : await pdfOf(context, report.html);
  await writeFile(file, content).catch((cause: unknown) => {
    throw ioError(`Can't write the report to ${file}`, cause);
  });
  return { file, format: wanted, bytes: content.byteLength };
}

async function pdfOf({ signal }: CommandContext, html: string): Promise<Uint8Array> {
  const { printPdf } = await import('../report/print-pdf');
  return printPdf(html, { signal });
}

async function saveReport(
  context: CommandContext,
  report: MadeReport,
  options: ReportOptions,
): Promise<Outcome> {
  const { file, format, bytes } = await save(context, report, options);
  return { json: { path: file, format, title: report.title, bytes }, text: `${report.title}: ${file}` };
}
