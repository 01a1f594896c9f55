import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import { hasLanguageModel } from '../language/library/language-folder';
import type { LanguageLibrary, LanguageModelEntry } from '../language/library/language-library';
import type { CommandContext, Outcome } from './context';
import { EXIT } from './exit-codes';
import { showProgress } from './progress';
import { table } from './table';

/** A language model among networks: what all models have, and what only language models have. */
type ListedModel = Omit<LanguageModelEntry, 'contextLength'> & {
  readonly task: { readonly kind: 'language'; readonly contextLength: number };
};

/** Whether a path to import is a language model rather than a network: a GGUF file, or a folder. */
export function isLanguagePath(file: string): boolean {
  return /\.gguf$/i.test(file) || (existsSync(file) && statSync(file).isDirectory());
}

export function isLanguageModel({ dataDir }: CommandContext, name: string): boolean {
  return hasLanguageModel(dataDir, name);
}

export async function languageModels(context: CommandContext): Promise<readonly ListedModel[]> {
  return (await library(context)).list().map(listed);
}

export async function importLanguageModel(
  context: CommandContext,
  file: string,
  {
    name,
    provider,
    replace,
  }: { readonly name?: string; readonly provider?: string; readonly replace?: boolean },
): Promise<Outcome> {
  if (provider !== undefined || replace === true) {
    throw new SluiceError(
      'bad-input',
      'models import: --provider and --replace are for networks. A language model runs on the CPU; ' +
        'remove one of the same name first (sluice models remove NAME).',
    );
  }
  const path = resolve(file);
  const progress = showProgress(name ?? path, process.stderr);
  const { signal } = context;
  const languages = await library(context);
  const request = { path, signal, onProgress: progress.show, ...(name !== undefined && { name }) };
  const model = listed(await languages.import(request).finally(progress.end));
  return { json: model, text: languageTable([model]) };
}

export async function inspectLanguageModel(context: CommandContext, name: string): Promise<Outcome> {
  const model = listed((await library(context)).entry(name));
  const facts = [
    languageTable([model]),
    ...(model.stateReason === undefined ? [] : [model.stateReason]),
    `${filesText(model)}, SHA-256 ${model.sha256}), imported from ${model.sourceFile}`,
    `${model.parameters.toLocaleString('en')} parameters in ${model.layers} layers, ` +
      `${model.vocabularySize.toLocaleString('en')} tokens, ` +
      (model.hasChatTemplate ? 'with a chat template' : 'without a chat template: use generate --raw'),
  ];
  return { json: model, text: facts.join('\n') };
}

export async function verifyLanguageModel(context: CommandContext, name: string): Promise<Outcome> {
  const progress = showProgress(name, process.stderr);
  const options = { signal: context.signal, onProgress: progress.show };
  const { fileBytes, faults } = await (await library(context)).verify(name, options).finally(progress.end);
  const ok = faults.length === 0;
  const named = faults.map(({ file, problem }) => ({ layer: file, problem }));
  return {
    json: { name, ok, bytesChecked: fileBytes, faults: named },
    text: ok
      ? `${name}: the checksums match (${formatBytes(fileBytes)}).`
      : faults.map(({ problem }) => problem).join('\n'),
    exitCode: ok ? EXIT.done : EXIT.failed,
  };
}

export async function removeLanguageModel(context: CommandContext, name: string): Promise<Outcome> {
  const freedBytes = await (await library(context)).remove(name);
  const told =
    freedBytes === 0
      ? 'nothing freed: its files are still there under other names'
      : `${formatBytes(freedBytes)} freed`;
  return { json: { removed: name, freedBytes }, text: `Removed ${name}; ${told}.` };
}

export function languageTable(models: readonly ListedModel[]): string {
  return table<ListedModel>(
    [
      { title: 'language model', text: ({ name }) => name },
      { title: 'state', text: ({ state }) => state },
      { title: 'architecture', text: ({ architecture }) => architecture },
      { title: 'quantisation', text: ({ quantisation }) => quantisation },
      { title: 'layers', text: ({ layers }) => String(layers), align: 'right' },
      { title: 'weights', text: ({ weightBytes }) => formatBytes(weightBytes), align: 'right' },
      { title: 'context, tokens', text: ({ task }) => String(task.contextLength), align: 'right' },
    ],
    models,
  );
}

function filesText({ path, files, fileBytes }: ListedModel): string {
  const what = files ? `folder ${path} (${files.length} files, ` : `file ${path} (`;
  return what + formatBytes(fileBytes);
}

export function listed({ contextLength, ...rest }: LanguageModelEntry): ListedModel {
  return { ...rest, task: { kind: 'language', contextLength } };
}

/** The tokenizer's libraries need not load for commands about networks. */
async function library({ dataDir }: CommandContext): Promise<LanguageLibrary> {
  const { LanguageLibrary } = await import('../language/library/language-library');
  return new LanguageLibrary(dataDir);
}
