import { SluiceError } from '../../../contract';
import type { Datasets } from '../../datasets/datasets';
import { isHidden, withoutHidden, type Manifest } from '../../datasets/tree/manifest';
import type { CompetitionDefinition } from '../definition';
import { evaluatorNamed } from '../evaluators/registry';
import type { TableText } from '../prediction-table';
import { answerIds } from '../score-predictions';
import { fileAt, partBelow, readText } from './dataset-parts';

/** The hidden file's; predictions come in the same. */
export function formatOf({ hiddenPath }: CompetitionDefinition): TableText['format'] {
  return hiddenPath.endsWith('.csv') ? 'csv' : 'jsonl';
}

/** See `SubmissionJobs.check`. */
export async function checkDefinition(
  datasets: Datasets,
  definition: CompetitionDefinition,
  owner: string,
): Promise<CompetitionDefinition> {
  const { name, version } = definition.dataset;
  const user = { name: owner };
  const { number } = datasets.catalog.version(user, name, version);
  const manifest = await datasets.manifest(user, name, String(number), { withHidden: true });
  const faults = partFaults(definition, manifest);
  if (faults.length === 0) faults.push(...(await answerFaults(datasets, definition, manifest)));
  if (faults.length > 0) {
    throw new SluiceError(
      'bad-input',
      `The competition can't be held with ${name}@${number}. ${faults.join('; ')}.`,
      { faults },
    );
  }
  return { ...definition, dataset: { name, version: String(number) } };
}

function partFaults({ hiddenPath, testPath }: CompetitionDefinition, manifest: Manifest): string[] {
  const faults: string[] = [];
  if (!fileAt(manifest, hiddenPath)) {
    faults.push(`hiddenPath: expected a file of the dataset, found none at ${hiddenPath}`);
  } else if (!isHidden(hiddenPath, manifest.hidden)) {
    faults.push(
      `hiddenPath: ${hiddenPath} is open to all; push the dataset with its folder hidden ("--hidden ${hiddenPath.split('/')[0]!}/")`,
    );
  }
  const inputs = partBelow(withoutHidden(manifest), testPath).entries;
  if (!inputs.some(({ type }) => type === 'file'))
    faults.push(`testPath: expected files below ${testPath} that are not hidden, found none`);
  return faults;
}

async function answerFaults(
  datasets: Datasets,
  definition: CompetitionDefinition,
  manifest: Manifest,
): Promise<string[]> {
  const { hiddenPath, evaluator } = definition;
  const text = await readText(datasets.trees, manifest, hiddenPath);
  try {
    const builtIn = 'builtIn' in evaluator ? evaluatorNamed(evaluator.builtIn) : undefined;
    const ids = answerIds({ format: formatOf(definition), text }, builtIn);
    return ids.length > 0 ? [] : [`hiddenPath: ${hiddenPath} has no answers`];
  } catch (error) {
    // Whoever creates the competition owns the answers, and may be told.
    const { cause, message } = SluiceError.from(error);
    return [`hiddenPath: ${hiddenPath}: ${cause instanceof Error ? cause.message : message}`];
  }
}
