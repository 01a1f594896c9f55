import { SluiceError } from '../../../contract';
import type { NewVariant } from '../../../contract';
import type { Models } from '../../models/models';
import type { LiveDeployment } from '../../offload/live-deployment';

export interface DeviceVariantsParts {
  readonly models: Pick<Models, 'list' | 'importAndProfile' | 'discard'>;
  readonly deployment: Pick<LiveDeployment, 'state' | 'putVariant' | 'dropVariant'>;
}

/** Published models as this device has them: in its own library, as variants of the offload agent. */
export class DeviceVariants {
  constructor(private readonly parts: DeviceVariantsParts) {}

  /** @throws SluiceError `conflict` when the library has another model of that name. */
  refuseTaken(name: string): void {
    if (!this.parts.models.list().some((model) => model.name === name)) return;
    throw new SluiceError(
      'conflict',
      `This device has a model ${name} already, which is not the published one: remove it, or publish without a variant.`,
      { name },
    );
  }

  /** Whether the variant of that name is known as this. */
  isKnownAs(name: string, { accuracyPct, source }: Pick<NewVariant, 'accuracyPct' | 'source'>): boolean {
    const known = this.parts.deployment.state().variants.find(({ model }) => model === name);
    return known?.accuracyPct === accuracyPct && known.source === source;
  }

  idOf(name: string): string | undefined {
    return this.parts.deployment.state().variants.find(({ model }) => model === name)?.id;
  }

  /**
   * The model and its variant, new or in place of those of another version. A running deployment goes on with them.
   * @throws SluiceError as imports do.
   */
  async put(path: string, variant: NewVariant): Promise<void> {
    const { models, deployment } = this.parts;
    await deployment.putVariant(variant, () =>
      models.importAndProfile(
        { path, name: variant.model, replace: true },
        () => undefined,
        new AbortController().signal,
      ),
    );
  }

  /** Takes both away, as far as they are there. */
  async remove(name: string): Promise<void> {
    const { models, deployment } = this.parts;
    await deployment.dropVariant(name, async () => {
      if (models.list().some((model) => model.name === name)) await models.discard(name);
    });
  }
}
