import type { Command } from 'commander';
import { z } from 'zod';

import type { LabModel, LabModelVersion } from '../../../contract';
import type { LabApi } from '../../lab/connection/lab-api';
import { listModels, modelPath, modelSchema, registerModel, setAlias } from '../../lab/requests/lab-models';
import { countOf } from '../option-values';
import { table } from '../table';
import { onLab } from './on-lab';

/** `sluice lab model ...`. */
export function addLabModelCommands(lab: Command): void {
  const model = lab.command('model').description('registered models: versions of what runs made, by name');
  addLookCommands(model);
  addVersionCommands(model);
  addRemoveCommand(model);
}

function addLookCommands(model: Command): void {
  model
    .command('list')
    .description('the names, and the newest version of each')
    .action((_options, command: Command) =>
      onLab(command, async ({ api }, { signal }) => {
        const models = await listModels(api, signal);
        return { json: { models }, text: modelTable(models) };
      }),
    );
  model
    .command('show')
    .argument('<name>')
    .description('a model with its versions')
    .action((name: string, _options, command: Command) =>
      onLab(command, async ({ api }, { signal }) =>
        shown(await api.get(modelPath(name), modelSchema, signal)),
      ),
    );
}

function addVersionCommands(model: Command): void {
  model
    .command('register')
    .argument('<run>', 'user/dataset/N, or a run id')
    .argument('<path>', 'of one of its artifacts, or of a folder of them')
    .requiredOption('--name <name>', 'of the model, which is made when there is none')
    .option('--description <text>', 'of the version', '')
    .description('make what a run left the next version of a model')
    .action((run: string, path: string, options: { name: string; description: string }, command: Command) =>
      onLab(command, async ({ api }, { signal }) => {
        const { name, description } = options;
        return shown(await registerModel(api, { run, path, model: name, description }, signal));
      }),
    );
  model
    .command('alias')
    .argument('<name>')
    .argument('<version>', 'its number', countOf)
    .argument('<alias>')
    .description('name a version, in place of the one that had the name')
    .action((name: string, version: number, alias: string, _options, command: Command) =>
      onLab(command, async ({ api }, { signal }) =>
        shown(await setAlias(api, { model: name, alias, version }, signal)),
      ),
    );
  model
    .command('unalias')
    .argument('<name>')
    .argument('<alias>')
    .description('take an alias away')
    .action((name: string, alias: string, _options, command: Command) =>
      onLab(command, async ({ api }, { signal }) =>
        shown(await setAlias(api, { model: name, alias }, signal)),
      ),
    );
  model
    .command('stage')
    .argument('<name>')
    .argument('<version>', 'its number', countOf)
    .argument('<stage>', 'None, Staging, Production or Archived')
    .option('--archive-others', 'the versions that are in that stage become Archived')
    .description("move a version to one of MLflow's stages")
    .action(
      (
        name: string,
        version: number,
        stage: string,
        options: { archiveOthers?: boolean },
        command: Command,
      ) =>
        onLab(command, async ({ api }, { signal }) => {
          const body = { stage, archivesOthers: options.archiveOthers === true };
          const path = `${modelPath(name)}/versions/${version}/stage`;
          return shown(await api.send('POST', path, body, modelSchema, signal));
        }),
    );
}

function addRemoveCommand(model: Command): void {
  model
    .command('rm')
    .argument('<name>')
    .argument('[version]', 'its number; without it all of the model', countOf)
    .description('remove a version or a model; the artifacts of the run stay')
    .action((name: string, version: number | undefined, _options, command: Command) =>
      onLab(command, async ({ api }, { signal }) => {
        await remove(api, name, version, signal);
        const removed = version === undefined ? { name } : { name, version };
        return { json: { removed }, text: `Removed ${name}${version === undefined ? '' : ` ${version}`}.` };
      }),
    );
}

function remove(
  api: LabApi,
  name: string,
  version: number | undefined,
  signal: AbortSignal,
): Promise<object> {
  const path = version === undefined ? modelPath(name) : `${modelPath(name)}/versions/${version}`;
  return api.send('DELETE', path, undefined, z.looseObject({}), signal);
}

function shown(model: LabModel): { readonly json: LabModel; readonly text: string } {
  const { name, description, versions } = model;
  const about = description === '' ? name : `${name}: ${description}`;
  return { json: model, text: `${about}\n\n${versionTable(versions)}` };
}

function modelTable(models: readonly LabModel[]): string {
  if (models.length === 0) return 'No models. "sluice lab model register RUN PATH --name NAME" makes one.';
  const newest = ({ versions: [first] }: LabModel, text: (version: LabModelVersion) => string): string =>
    first ? text(first) : '';
  return table<LabModel>(
    [
      { title: 'model', text: ({ name }) => name },
      { title: 'versions', text: ({ versions }) => String(versions.length), align: 'right' },
      { title: 'newest', text: (one) => newest(one, ({ version }) => String(version)), align: 'right' },
      { title: 'stage', text: (one) => newest(one, ({ stage }) => stage) },
      { title: 'aliases', text: ({ versions }) => versions.flatMap(aliasTexts).join(' ') },
      { title: 'from', text: (one) => newest(one, fromText) },
    ],
    models,
  );
}

function versionTable(versions: readonly LabModelVersion[]): string {
  if (versions.length === 0) return 'It has no version.';
  return table<LabModelVersion>(
    [
      { title: 'version', text: ({ version }) => String(version), align: 'right' },
      { title: 'stage', text: ({ stage }) => stage },
      { title: 'aliases', text: ({ aliases }) => aliases.join(' ') },
      { title: 'from', text: fromText },
      { title: 'source', text: ({ source }) => source },
      { title: 'about', text: ({ description }) => description.slice(0, 60) },
    ],
    versions,
  );
}

/** `best=3`. */
function aliasTexts({ aliases, version }: LabModelVersion): readonly string[] {
  return aliases.map((alias) => `${alias}=${version}`);
}

function fromText({ runName, runId }: LabModelVersion): string {
  return runName ?? runId?.slice(0, 8) ?? '';
}
