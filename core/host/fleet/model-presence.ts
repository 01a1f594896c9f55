import { z } from 'zod';

import { SluiceError } from '../../contract';
import type { Box } from './box';
import type { PushedModel } from './model-sources';
import { languageModelSchema, modelSchema } from './told-events';

const ASK_WITHIN_MS = 120_000;
const detailSchema = z.looseObject({
  sourceSha256: z.string(),
  sourceBeside: z.array(z.looseObject({ file: z.string(), sha256: z.string() })).optional(),
});

/**
 * Whether a box has a model. `stale`: it has it, compiled for what the box no longer is.
 * @throws SluiceError `conflict` when it has another of that name; what the box throws.
 */
export async function presenceOn(box: Box, model: PushedModel): Promise<'same' | 'stale' | 'none'> {
  const ask = (request: string, input: unknown): Promise<unknown> =>
    box.request(request, input, ASK_WITHIN_MS);
  const networks = modelSchema.array().parse(await ask('models.list', {}));
  const network = networks.find(({ name }) => name === model.name);
  if (model.kind === 'example') return network?.state === 'ready' ? 'same' : 'none';
  if (network) {
    const isOther =
      network.state !== 'broken' &&
      !isSame(model, detailSchema.parse(await ask('models.inspect', { name: model.name })));
    if (model.kind !== 'network' || isOther) throw otherModel(box, model);
    return network.state === 'ready' ? 'same' : 'stale';
  }
  const languages = languageModelSchema.array().parse(await ask('language.models', {}));
  const language = languages.find(({ name }) => name === model.name);
  if (!language) return 'none';
  if (model.kind === 'language' && language.state === 'ready' && language.sha256 === model.sha256)
    return 'same';
  throw otherModel(box, model);
}

/** Weights beside the file count where the box knows them: one that an older Sluice imported does not. */
function isSame({ sha256, files }: PushedModel, there: z.infer<typeof detailSchema>): boolean {
  if (there.sourceSha256 !== sha256) return false;
  const known = new Map(there.sourceBeside?.map((each) => [each.file, each.sha256]));
  return files.slice(1).every((file) => (known.get(file.name) ?? file.sha256) === file.sha256);
}

function otherModel(box: Box, { name }: PushedModel): SluiceError {
  return new SluiceError(
    'conflict',
    `${box.known.name} has another model called ${name}. Remove it there, or import yours under another name.`,
    { name, box: box.known.id },
  );
}
