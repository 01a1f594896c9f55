import { formatBytes } from '../../base';
import { SluiceError } from '../../contract';
import { INDEX_FILE, SINGLE_FILE } from '../huggingface/weight-files';
import type { HubFile, HubListing } from './hub-client';

/** Which of a repository's files make up the model to pull. */
export type HubChoice =
  | {
      readonly kind: 'gguf';
      readonly file: HubFile;
      /** Why this one, when there were others. */
      readonly reason?: string;
    }
  | { readonly kind: 'folder' };

/** Four bits a weight: what runs best, and fits most machines. */
const PREFERRED = ['Q4_0', 'Q4_1', 'Q4_K_M'] as const;
const FILES_NAMED = 40;

/**
 * Chooses what to pull: the file asked for; else the only GGUF file, the only one of 4 bits, or the safetensors folder.
 * @param wanted path of a GGUF file, or of the folder's weights (`model.safetensors`).
 * @throws SluiceError `bad-input` with the files and their sizes when the choice is the user's, `not-found`,
 * `unsupported`.
 */
export function chooseFiles({ repo, files }: HubListing, wanted: string | undefined): HubChoice {
  const models = ggufModels(files);
  const hasFolder = files.has('config.json') && (files.has(SINGLE_FILE) || files.has(INDEX_FILE));
  if (wanted !== undefined) {
    if (hasFolder && [SINGLE_FILE, INDEX_FILE, 'config.json'].includes(wanted)) return { kind: 'folder' };
    const file = files.get(wanted);
    if (file && isPart(wanted)) throw splitError(repo.id, wanted);
    if (file && isGguf(wanted)) return { kind: 'gguf', file };
    const problem = file ? `${wanted} of ${repo.id} is no model` : `${repo.id} has no file ${wanted}`;
    throw new SluiceError(file ? 'bad-input' : 'not-found', `${problem}. ${offer(models, hasFolder)}`);
  }
  const [only] = models;
  if (models.length === 1) return { kind: 'gguf', file: only! };
  if (models.length > 1) return preferred(models) ?? askUser(repo.id, models, hasFolder);
  if (hasFolder) return { kind: 'folder' };
  const part = [...files.keys()].find(isPart);
  if (part !== undefined) throw splitError(repo.id, part);
  throw new SluiceError(
    'unsupported',
    `${repo.id} has neither a GGUF file nor a config.json with safetensors weights; other kinds can't be pulled.`,
  );
}

function isGguf(path: string): boolean {
  return /\.gguf$/i.test(path);
}

/** Projectors of images and importance matrices are GGUF files too, and no language models. */
function ggufModels(files: ReadonlyMap<string, HubFile>): readonly HubFile[] {
  return [...files.values()]
    .filter(({ path }) => isGguf(path) && !isPart(path) && !/(^|[/._-])(mmproj|imatrix)/i.test(path))
    .sort((a, b) => a.bytes - b.bytes || (a.path < b.path ? -1 : 1));
}

function isPart(path: string): boolean {
  return /-\d{5}-of-\d{5}\.gguf$/i.test(path);
}

function preferred(models: readonly HubFile[]): HubChoice | undefined {
  const found = models.flatMap((file) => {
    const type = PREFERRED.find((name) => new RegExp(`[._-]${name}\\.gguf$`, 'i').test(file.path));
    return type ? [{ file, type }] : [];
  });
  const [only] = found;
  if (!only || found.length > 1) return undefined;
  const reason = `the only one of ${models.length} GGUF files in ${PREFERRED.join(', ')}; --file chooses another`;
  return { kind: 'gguf', file: only.file, reason };
}

function askUser(id: string, models: readonly HubFile[], hasFolder: boolean): never {
  throw new SluiceError('bad-input', `${id} has several models. ${offer(models, hasFolder)}`, {
    files: models.map(({ path }) => path),
  });
}

function offer(models: readonly HubFile[], hasFolder: boolean): string {
  const rows = models.slice(0, FILES_NAMED).map(({ path, bytes }) => `  ${path}  ${formatBytes(bytes)}`);
  if (models.length > FILES_NAMED) rows.push(`  and ${models.length - FILES_NAMED} more`);
  if (hasFolder) rows.push(`  ${SINGLE_FILE}  the folder with its safetensors weights`);
  return rows.length === 0 ? 'It has no model.' : `Choose one with --file:\n${rows.join('\n')}`;
}

function splitError(id: string, part: string): SluiceError {
  return new SluiceError(
    'unsupported',
    `${id} has ${part}, one of several files that make up a model. Pull a model in one file, or join them ` +
      '(llama-gguf-split --merge) and import the file that comes out.',
  );
}
