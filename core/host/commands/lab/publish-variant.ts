import { SluiceError } from '../../../contract';
import { DeploymentRecords } from '../../lab/deployments/deployment-records';
import type { DeploymentRecord } from '../../lab/deployments/deployment-records';
import { DeviceVariants } from '../../lab/deployments/device-variants';
import type { CommandContext } from '../context';

/** How often a version is right, and who says so. */
export type SaidVariant = DeploymentRecord['variants'][string];

export interface VariantOptions {
  readonly accuracy?: number;
  readonly accuracySource?: string;
}

/** @throws SluiceError `bad-input` for an accuracy that nobody answers for, or a source of none. */
export function variantOf({ accuracy, accuracySource: source }: VariantOptions): SaidVariant | undefined {
  if (accuracy === undefined && source === undefined) return undefined;
  if (accuracy !== undefined && source !== undefined && source.trim() !== '') {
    return { accuracyPct: accuracy, source };
  }
  throw new SluiceError(
    'bad-input',
    'A variant of the offload agent needs both: --accuracy PERCENT, and where that is from, --accuracy-source TEXT.',
  );
}

/** @throws SluiceError `conflict`: the device's library has a model of that name which is not the published one. */
export async function refuseTakenVariant(
  context: CommandContext,
  url: string,
  servedAs: string,
): Promise<void> {
  const record = new DeploymentRecords(context.dataDir, context.log).find(url, servedAs);
  if (record?.deviceVersion === undefined) new DeviceVariants(await context.services()).refuseTaken(servedAs);
}

/** The engine of a console keeps the agent's settings: what a command wrote into them it would overwrite. */
export function becomesVariant(model: string, version: number, servedAs: string): string {
  return (
    `${model} version ${version} becomes the variant ${servedAs} of this data folder's offload agent, while it is the ` +
    'stable one, as soon as a console with that endpoint looks at the models of its lab.'
  );
}
