import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { refuseNewer } from '../../../contract';
import { ioError, isDiskFault } from '../../../storage';

const count = z.number().int().nonnegative();
const digest = z.string().regex(/^[0-9a-f]{64}$/);
export const MANIFEST_FORMAT = 1;
const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  architecture: z.string(),
  quantisation: z.string(),
  parameters: count,
  weightBytes: count,
  layers: count,
  contextLength: count,
  /** 0: imported before this was written down. */
  cacheBytesPerToken: count.default(0),
  vocabularySize: count,
  hasChatTemplate: z.boolean(),
  /** Of all files. */
  fileBytes: count,
  /** Of a GGUF file; of a folder, that of the list of its files as `sha256sum` prints it. */
  sha256: digest,
  /** Of the file or folder it was imported from. */
  sourceFile: z.string(),
  importedAt: z.string(),
  /** Of a model that is a folder. */
  files: z
    .array(
      z.object({ name: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/), bytes: count, sha256: digest }),
    )
    .min(1)
    .optional(),
});

/** What is known of a language model in the library. */
export type LanguageManifest = z.infer<typeof manifestSchema>;
export type ManifestFile = NonNullable<LanguageManifest['files']>[number];

/** @returns undefined for what is no manifest. @throws SluiceError `io`; `unsupported` when it is newer. */
export function readManifest(path: string): LanguageManifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    // A disk that fails for a moment says nothing of the model.
    if (isDiskFault(cause)) throw ioError(`Can't read ${path}`, cause);
    return undefined;
  }
  refuseNewer(value, 'format', { path, what: 'a language model of the library', known: MANIFEST_FORMAT });
  return manifestSchema.safeParse(value).data;
}

/** Of a model whose manifest can't be read. */
export const NOTHING_KNOWN = {
  architecture: '',
  quantisation: '',
  parameters: 0,
  weightBytes: 0,
  layers: 0,
  contextLength: 0,
  cacheBytesPerToken: 0,
  vocabularySize: 0,
  hasChatTemplate: false,
  fileBytes: 0,
  sha256: '',
  sourceFile: '',
  importedAt: '',
} as const;
