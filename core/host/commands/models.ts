import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';

import type { Command } from 'commander';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import type { LayerInfo, ModelDetail, ModelSummary, VerifyReport } from '../../contract';
import type { Models } from '../models/models';
import { execute, onCancel } from './context';
import type { CommandContext, Outcome } from './context';
import {
  importLanguageModel,
  inspectLanguageModel,
  isLanguagePath,
  isLanguageModel,
  languageModels,
  languageTable,
  removeLanguageModel,
  verifyLanguageModel,
} from './language-models';
import { EXIT } from './exit-codes';
import { showJobs } from './progress';
import { addPullCommand } from './pull-model';
import { formatMs, table } from './table';

interface ImportOptions {
  readonly name?: string;
  readonly provider?: string;
  readonly replace?: boolean;
  readonly example?: boolean;
}

/** `sluice models ...`: the library. */
export function addModelCommands(program: Command): void {
  const models = program.command('models').description('the library of imported networks');
  models
    .command('list')
    .description('what there is')
    .action((_options, command: Command) => execute(command, listModels));
  models
    .command('import')
    .argument('[file]', 'an .onnx file, or a language model as .gguf file or folder')
    .description('compile a network, or take a language model, into the library')
    .option('--name <name>', 'name in the library (default: from the file name)')
    .option('--provider <name>', 'where its layers run: cpu, webgpu, ... (default: cpu)')
    .option('--replace', 'replace a model of the same name')
    .option('--example', 'import the text-reading example that ships with Sluice')
    .action((file: string | undefined, options: ImportOptions, command: Command) =>
      execute(command, (context) => importModel(context, file, options)),
    );
  addPullCommand(models);
  models
    .command('inspect')
    .argument('<name>')
    .description('its layers and their bytes')
    .action((name: string, _options, command: Command) =>
      execute(command, (context) => inspectModel(context, name)),
    );
  models
    .command('verify')
    .argument('<name>')
    .description('read all weights and compare checksums')
    .action((name: string, _options, command: Command) =>
      execute(command, (context) => verifyModel(context, name)),
    );
  models
    .command('remove')
    .argument('<name>')
    .description('delete it from the library')
    .action((name: string, _options, command: Command) =>
      execute(command, (context) => removeModel(context, name)),
    );
}

async function listModels(context: CommandContext): Promise<Outcome> {
  const models = (await context.services()).models.list();
  const language = await languageModels(context);
  const tables = [
    ...(models.length === 0 ? [] : [modelTable(models)]),
    ...(language.length === 0 ? [] : [languageTable(language)]),
  ];
  // One list, told apart by the kind of their tasks: whoever reads it need not know every kind.
  return { json: [...models, ...language], text: tables.length === 0 ? EMPTY : tables.join('\n\n') };
}

const EMPTY =
  'No models. Import one: sluice models import FILE.onnx, FILE.gguf, FOLDER, or sluice models import --example; or pull one: sluice models pull OWNER/NAME';

async function importModel(
  context: CommandContext,
  file: string | undefined,
  { example = false, ...options }: ImportOptions,
): Promise<Outcome> {
  if ((file === undefined) !== example) {
    throw new SluiceError(
      'bad-input',
      'models import: expected a FOLDER, an .onnx or .gguf FILE or --example.',
    );
  }
  if (file !== undefined && isLanguagePath(file)) return importLanguageModel(context, file, options);
  const model = await asJob(context, (models, jobId) =>
    file === undefined
      ? models.importExample(jobId)
      : models.import(jobId, { path: resolve(file), ...options }),
  );
  return { json: model, text: modelTable([model]) };
}

async function inspectModel(context: CommandContext, name: string): Promise<Outcome> {
  if (isLanguageModel(context, name)) return inspectLanguageModel(context, name);
  const detail = await (await context.services()).models.inspect(name);
  return { json: detail, text: detailText(detail) };
}

async function verifyModel(context: CommandContext, name: string): Promise<Outcome> {
  if (isLanguageModel(context, name)) return verifyLanguageModel(context, name);
  const report = await asJob(context, (models, jobId) => models.verify(jobId, name));
  return { json: report, text: verifyText(report), exitCode: report.ok ? EXIT.done : EXIT.failed };
}

async function removeModel(context: CommandContext, name: string): Promise<Outcome> {
  if (isLanguageModel(context, name)) return removeLanguageModel(context, name);
  const { models } = await context.services();
  const { bytes } = await models.remove(name);
  // Nobody could ask for it back: the undo ends with this process.
  await models.removed.discardAll();
  return {
    json: { removed: name, freedBytes: bytes },
    text: `Removed ${name}; ${formatBytes(bytes)} freed.`,
  };
}

/** Shows the job's progress, and cancels it on SIGINT. */
async function asJob<T>(
  { services, signal }: CommandContext,
  work: (models: Models, jobId: string) => Promise<T>,
): Promise<T> {
  const { bus, jobs, models } = await services();
  const jobId = randomUUID();
  const hide = showJobs(bus, process.stderr);
  const working = work(models, jobId);
  // The job exists as soon as its work was called.
  const unlisten = onCancel(signal, () => jobs.cancel(jobId));
  try {
    return await working;
  } finally {
    unlisten();
    hide();
  }
}

function modelTable(models: readonly ModelSummary[]): string {
  return table<ModelSummary>(
    [
      { title: 'name', text: ({ name }) => name },
      { title: 'task', text: ({ task }) => task.kind },
      { title: 'state', text: ({ state }) => state },
      { title: 'provider', text: ({ provider }) => provider },
      { title: 'layers', text: ({ layers }) => String(layers), align: 'right' },
      { title: 'weights', text: ({ weightBytes }) => formatBytes(weightBytes), align: 'right' },
      { title: 'streams in', text: ({ minimumBytes }) => formatBytes(minimumBytes), align: 'right' },
      {
        title: 'largest layer',
        text: ({ largestLayerBytes }) => formatBytes(largestLayerBytes),
        align: 'right',
      },
    ],
    models,
  );
}

function detailText(detail: ModelDetail): string {
  const facts = [
    modelTable([detail]),
    ...(detail.stateReason === undefined ? [] : [detail.stateReason]),
    `store ${detail.storePath} (${formatBytes(detail.storeBytes)}, format ${detail.storeVersion}, ` +
      `ONNX Runtime ${detail.runtimeVersion}, ${detail.instructionSet})`,
    ...detail.notes.map((note) => `note: ${note}`),
  ];
  const layers = table<LayerInfo>(
    [
      { title: '#', text: ({ index }) => String(index), align: 'right' },
      { title: 'layer', text: ({ name }) => name },
      { title: 'op', text: ({ op }) => op },
      { title: 'weights', text: ({ weightBytes }) => formatBytes(weightBytes), align: 'right' },
      { title: 'tiles', text: ({ maxTiles }) => String(maxTiles), align: 'right' },
      {
        title: 'compute',
        text: ({ computeMs }) => (computeMs === undefined ? '-' : formatMs(computeMs)),
        align: 'right',
      },
    ],
    detail.layerList,
  );
  return `${facts.join('\n')}\n\n${layers}`;
}

function verifyText({ name, ok, layersChecked, bytesChecked, faults }: VerifyReport): string {
  const checked = `${layersChecked} layers, ${formatBytes(bytesChecked)}`;
  if (ok) return `${name}: all checksums match (${checked}).`;
  const list = faults.map(({ layer, problem }) => `  ${layer}: ${problem}`).join('\n');
  return `${name}: ${faults.length} faults in ${checked}:\n${list}\nImport the model again with --replace.`;
}
