import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { z } from 'zod';
import { refuseNewer, SluiceError } from '../contract';
import { faultText, ioError, isDiskFault } from '../storage';

export const ENTRY_FILE = 'entry.json';
const ENTRY_FORMAT = 1;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Names lead to folders: one that is made up must not lead out of the library. */
const name = z.string().regex(NAME, "expected a model's name");
const folderOf = (kind: 'store' | 'source'): z.ZodType<string> =>
  z
    .string()
    .regex(new RegExp(`^${kind}-[A-Za-z0-9-]{1,64}$`), `expected a name such as ${kind}-0123456789ab`);

const task = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tensor') }),
  z.object({ kind: z.literal('classification'), labels: z.number().int().positive() }),
  z.object({ kind: z.literal('text'), detector: name, recognizer: name }),
]);

/** What the library keeps of a model beside its store; writing it is what makes an import count. */
export const libraryEntry = z.object({
  format: z.literal(ENTRY_FORMAT),
  /** Folder of the layer store beside the entry; absent for a pipeline of other models. */
  store: folderOf('store').optional(),
  /** Where it was imported from; of one that is kept, only the name still counts. */
  sourcePath: z.string(),
  /** Folder beside the entry that keeps the model's file and what lies beside that. */
  source: folderOf('source').optional(),
  importedAt: z.string(),
  task,
});

export type LibraryEntry = z.infer<typeof libraryEntry>;

/** @throws SluiceError `io`, `corrupt-store`, `unsupported` when a newer Sluice wrote it. */
export function readEntry(path: string): LibraryEntry {
  const value = parseJson(path);
  refuseNewer(value, 'format', { path, what: 'a model of the library', known: ENTRY_FORMAT });
  const { data, error } = libraryEntry.safeParse(value);
  if (error) throw unusable(path, error);
  return data;
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    if (isDiskFault(cause)) throw ioError(`Can't read ${path}`, cause);
    throw unusable(path, cause);
  }
}

function unusable(path: string, cause: unknown): SluiceError {
  return new SluiceError(
    'corrupt-store',
    `${path} is damaged (${faultText(cause)}). Remove the model and import it again.`,
    { path },
    { cause },
  );
}

/** @throws SluiceError `bad-input` for a name that could not be a folder everywhere. */
export function checkName(name: string): string {
  if (NAME.test(name) && !name.endsWith('.partial')) return name;
  throw new SluiceError(
    'bad-input',
    `'${name}' can't be a model's name: use 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit.`,
    { name },
  );
}

/** `resnet50` for `/models/ResNet 50.onnx`. */
export function nameFromPath(path: string): string {
  const stem = basename(path, extname(path)).replace(/[^A-Za-z0-9._-]+/g, '-');
  return (
    stem
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 64)
      .toLowerCase() || 'model'
  );
}
