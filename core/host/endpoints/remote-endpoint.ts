import type { Clock } from '../../base';
import type { EndpointHealth, RemoteTier, TokenState } from '../../contract';
import type { LiveEndpoint, LiveInference } from '../../offload';
import { OipClient } from '../../serving';
import type { OipAnswer, OipTensor } from '../../serving';
import { LinkEstimate } from './link-estimate';
import type { ServedVariant, VariantInputs } from './variant-inputs';

/** What is remembered of an endpoint between starts. */
export interface KnownEndpoint {
  readonly id: string;
  readonly name: string;
  readonly tier: RemoteTier;
  readonly url: string;
  /** Whether a keychain was told the token. */
  readonly tokenKept: boolean;
}

export interface RemoteEndpointParts {
  readonly inputs: VariantInputs;
  readonly variants: () => readonly ServedVariant[];
  readonly clock: Clock;
  readonly deadlineMs: number;
}

const UNKNOWN: EndpointHealth = { state: 'unknown', link: 'regular', breaker: 'closed', offers: [] };

/** A server, with what is known of it. */
export class RemoteEndpoint implements LiveEndpoint {
  readonly link = new LinkEstimate();
  /** When it last answered an inference, clock ms. */
  lastUsedMs = -Infinity;
  health: EndpointHealth = UNKNOWN;
  client: OipClient;
  /** Never leaves the engine but as this server's header. */
  heldToken: string | undefined;

  /** @throws SluiceError `bad-input` for a URL that is not http or https. */
  constructor(
    public known: KnownEndpoint,
    private readonly parts: RemoteEndpointParts,
    token?: string,
  ) {
    this.heldToken = token;
    this.client = this.connect();
  }

  get id(): string {
    return this.known.id;
  }

  get tier(): RemoteTier {
    return this.known.tier;
  }

  get token(): TokenState {
    if (this.heldToken === undefined) return this.known.tokenKept ? 'missing' : 'none';
    return this.known.tokenKept ? 'keychain' : 'until-restart';
  }

  offers(variantId: string): boolean {
    return this.health.offers.includes(variantId);
  }

  /** Calls under way end with an error; later ones carry the new token. */
  async setToken(token: string | undefined): Promise<void> {
    const before = this.client;
    this.heldToken = token;
    this.health = UNKNOWN;
    this.client = this.connect();
    await before.close();
  }

  async infer(user: number, variantId: string, signal: AbortSignal): Promise<LiveInference> {
    const { inputs, variants, deadlineMs, clock } = this.parts;
    const model = variants().find(({ id }) => id === variantId)?.model ?? variantId;
    const tensors = inputs.of(model, user);
    const answer = await this.client.infer({ model, inputs: tensors }, { signal, deadlineMs });
    const sentBytes = sizeOf(tensors);
    const inference = inferenceOf(answer, sentBytes);
    this.lastUsedMs = clock.nowMs();
    if (answer.times.computeMs !== undefined) {
      const { stages } = inference;
      this.link.observe(stages.sendMs + stages.receiveMs, sentBytes + stages.receivedBytes);
    }
    return inference;
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private connect(): OipClient {
    return new OipClient({
      url: this.known.url,
      clock: this.parts.clock,
      // Another endpoint is asked instead.
      retries: 0,
      ...(this.heldToken !== undefined && { token: this.heldToken }),
    });
  }
}

/**
 * Inputs are large and answers small, so all time that nobody accounts for counts as sending. A server that does not
 * tell what it spent waited all of it; one whose clock says more than there was spent what there was.
 */
function inferenceOf({ times, outputs }: OipAnswer, sentBytes: number): LiveInference {
  const { waitMs, totalMs } = times;
  const receiveMs = Math.min(times.receiveMs, totalMs);
  const computeMs = Math.min(times.computeMs ?? 0, totalMs - receiveMs);
  const toldQueueMs = times.computeMs === undefined ? waitMs : (times.queueMs ?? 0);
  const queueMs = Math.min(toldQueueMs, totalMs - receiveMs - computeMs);
  return {
    responseMs: totalMs,
    stages: {
      sendMs: totalMs - receiveMs - computeMs - queueMs,
      queueMs,
      computeMs,
      receiveMs,
      sentBytes,
      receivedBytes: sizeOf(outputs),
    },
  };
}

function sizeOf(tensors: readonly OipTensor[]): number {
  return tensors.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}
