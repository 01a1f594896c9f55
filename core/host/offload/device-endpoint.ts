import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { LiveEndpoint, LiveInference } from '../../offload';
import type { ServedVariant, VariantInputs } from '../endpoints/variant-inputs';
import { Mutex } from '../mutex';
import { LibraryModels } from '../serve/served-models';
import type { ServedModelsParts } from '../serve/served-models';

export interface DeviceEndpointParts extends Pick<ServedModelsParts, 'models' | 'planner' | 'loaded'> {
  readonly inputs: VariantInputs;
  readonly variants: () => readonly ServedVariant[];
  readonly clock: Clock;
}

export const DEVICE_ID = 'device';

/** The engine's own machine: runs variants of the library within the global budget, one at a time. */
export class DeviceEndpoint implements LiveEndpoint {
  readonly id = DEVICE_ID;
  readonly tier = 'device';
  private readonly running = new Mutex();
  private library: { readonly limitBytes: number; readonly models: LibraryModels } | undefined;

  constructor(private readonly parts: DeviceEndpointParts) {}

  offers(variantId: string): boolean {
    return this.problemOf(variantId) === undefined;
  }

  /** Why the device can't run a variant; undefined when it can. */
  problemOf(variantId: string): string | undefined {
    const variant = this.parts.variants().find(({ id }) => id === variantId);
    return variant ? this.models().problemOf(variant.model) : 'not a variant of the deployment';
  }

  async infer(user: number, variantId: string, signal: AbortSignal): Promise<LiveInference> {
    const { clock, inputs, variants } = this.parts;
    const model = variants().find(({ id }) => id === variantId)?.model ?? variantId;
    const tensors = inputs.of(model, user);
    const askedMs = clock.nowMs();
    return this.running.run(async () => {
      if (signal.aborted) throw new SluiceError('cancelled', `${model}: the request was answered elsewhere.`);
      const answer = await this.models().infer(model, tensors, signal);
      const responseMs = clock.nowMs() - askedMs;
      const computeMs = Math.min(answer.computeMs, responseMs);
      // What is neither computing nor waiting is the hand-over; it counts as waiting too.
      const queueMs = responseMs - computeMs;
      return { responseMs, stages: { ...NOTHING_SENT, queueMs, computeMs } };
    });
  }

  private models(): LibraryModels {
    const { limitBytes } = this.parts.loaded.state();
    if (this.library?.limitBytes !== limitBytes) {
      const { clock, ...parts } = this.parts;
      const models = new LibraryModels({
        ...parts,
        nowMs: () => clock.nowMs(),
        ...(limitBytes > 0 && { budgetBytes: limitBytes }),
        // The engine's own process tells its consoles when it dies.
        onEngineDown: () => undefined,
      });
      this.library = { limitBytes, models };
    }
    return this.library.models;
  }
}

const NOTHING_SENT = { sendMs: 0, receiveMs: 0, sentBytes: 0, receivedBytes: 0 };
