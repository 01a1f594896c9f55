import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import type { EndpointHealth } from '../../contract';
import type { OipClient, ServerFigures } from '../../serving';
import { isoTime } from '../host-clock';
import type { RemoteEndpoint } from './remote-endpoint';
import type { ServedVariant } from './variant-inputs';

const PROBE_DEADLINE_MS = 2000;
/** Models and version of a server change seldom. */
const MODELS_EVERY_MS = 10_000;
/** A foreign server may call itself anything. */
const MAX_SERVER_CHARS = 80;

/** Looks at one endpoint again and again; keeps what need not be asked each time. */
export class EndpointProbe {
  private modelsMs = -Infinity;
  private modelsKey = '';
  private server: string | undefined;
  private offers: readonly string[] = [];

  constructor(
    private readonly endpoint: RemoteEndpoint,
    private readonly clock: Clock,
  ) {}

  /** Asks for models and version with the next probe, whatever the time. */
  askAll(): void {
    this.modelsMs = -Infinity;
  }

  /** Sets and returns the endpoint's health. Never rejects. */
  async run(variants: readonly ServedVariant[]): Promise<EndpointHealth> {
    const { endpoint } = this;
    // A token that is set meanwhile makes a new client; what the old one found says nothing then.
    const { client } = endpoint;
    const found = await this.look(client, variants);
    if (endpoint.client === client) endpoint.health = found;
    return endpoint.health;
  }

  private async look(client: OipClient, variants: readonly ServedVariant[]): Promise<EndpointHealth> {
    const call = { deadlineMs: PROBE_DEADLINE_MS };
    const { state, roundTripMs, reason } = await client.health(call);
    if (state === 'unreachable') {
      return this.health({ state, error: new SluiceError('unavailable', reason ?? 'no answer').toWire() });
    }
    this.endpoint.link.observeRoundTrip(roundTripMs);
    if (state === 'not-ready') {
      const why = `${client.name} answers, but is not ready for inferences; it may be draining.`;
      return this.health({ state, error: new SluiceError('unavailable', why).toWire() });
    }
    try {
      await this.askModels(client, variants);
      return this.health({ state: 'ready' }, await client.serverFigures(call));
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      return this.health({
        state: error.code === 'unauthorized' ? 'refused' : 'not-ready',
        error: error.toWire(),
      });
    }
  }

  private async askModels(client: OipClient, variants: readonly ServedVariant[]): Promise<void> {
    const nowMs = this.clock.nowMs();
    const key = JSON.stringify(variants);
    if (key === this.modelsKey && nowMs - this.modelsMs < MODELS_EVERY_MS && nowMs >= this.modelsMs) return;
    const call = { deadlineMs: PROBE_DEADLINE_MS };
    const { name, version } = await client.serverMetadata(call);
    const ready = await Promise.all(variants.map(({ model }) => client.modelReady(model, call)));
    this.server = `${name} ${version}`.slice(0, MAX_SERVER_CHARS);
    this.offers = variants.filter((_, index) => ready[index]).map(({ id }) => id);
    this.modelsMs = nowMs;
    this.modelsKey = key;
  }

  private health(found: Pick<EndpointHealth, 'state' | 'error'>, figures?: ServerFigures): EndpointHealth {
    const { link, client } = this.endpoint;
    const { roundTripMs, bytesPerSec, linkClass } = link;
    return {
      ...found,
      ...figures,
      checkedAt: isoTime(this.clock.nowMs()),
      link: linkClass,
      breaker: client.breakerState,
      offers: this.offers,
      ...(roundTripMs !== undefined && { roundTripMs }),
      ...(bytesPerSec !== undefined && { bytesPerSec }),
      ...(this.server !== undefined && { server: this.server }),
    };
  }
}
