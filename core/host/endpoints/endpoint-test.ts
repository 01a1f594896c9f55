import { SluiceError } from '../../contract';
import type { EndpointTest } from '../../contract';
import type { RemoteEndpoint } from './remote-endpoint';
import type { ServedVariant } from './variant-inputs';

type StepName = EndpointTest['steps'][number]['step'];

const DEADLINE_MS = 10_000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Connects, asks for health and models, and runs one inference; the first step that fails ends it. Never rejects. */
export async function testEndpoint(
  endpoint: RemoteEndpoint,
  variants: readonly ServedVariant[],
  nowMs: () => number,
): Promise<EndpointTest> {
  const steps: EndpointTest['steps'][number][] = [];
  const call = { deadlineMs: DEADLINE_MS };
  const { client } = endpoint;
  const step = async (name: StepName, work: () => Promise<string>): Promise<void> => {
    const startedMs = nowMs();
    const ended = (ok: boolean, text: string): void => {
      steps.push({ step: name, ok, ms: nowMs() - startedMs, text });
    };
    try {
      ended(true, await work());
    } catch (thrown) {
      ended(false, SluiceError.from(thrown).message);
      throw thrown;
    }
  };
  try {
    let isReady = false;
    await step('connect', async () => {
      const { state, reason } = await client.health(call);
      if (state === 'unreachable') throw new SluiceError('unavailable', reason ?? 'no answer');
      isReady = state === 'ready';
      return encryptionOf(endpoint);
    });
    await step('ready', () =>
      isReady
        ? Promise.resolve('takes inferences')
        : Promise.reject(new SluiceError('unavailable', `${client.name} takes no inferences now.`)),
    );
    await step('metadata', async () => {
      const { name, version, extensions } = await client.serverMetadata(call);
      const transport = extensions.includes('binary_tensor_data') ? 'binary tensors' : 'JSON tensors only';
      return `${name} ${version}, ${transport}`;
    });
    const offered: ServedVariant[] = [];
    await step('models', async () => {
      for (const variant of variants) if (await client.modelReady(variant.model, call)) offered.push(variant);
      const missing = variants.filter((variant) => !offered.includes(variant)).map(({ model }) => model);
      const text = `${offered.length} of ${variants.length} variants`;
      return missing.length === 0 ? text : `${text}; without ${missing.join(', ')}`;
    });
    await step('inference', () => inference(endpoint, offered));
    return { ok: true, steps };
  } catch (thrown) {
    return { ok: false, steps, error: SluiceError.from(thrown).toWire() };
  }
}

async function inference(endpoint: RemoteEndpoint, [first]: readonly ServedVariant[]): Promise<string> {
  if (!first) {
    throw new SluiceError(
      'not-found',
      'It serves none of the variants; import them there under the same names as here.',
    );
  }
  const { stages } = await endpoint.infer(0, first.id, AbortSignal.timeout(DEADLINE_MS));
  const { sendMs, queueMs, computeMs, receiveMs } = stages;
  const part = (name: string, ms: number): string => `${name} ${ms.toFixed(1)} ms`;
  const parts = [
    part('send', sendMs),
    part('queue', queueMs),
    part('compute', computeMs),
    part('receive', receiveMs),
  ];
  return `${first.model}: ${parts.join(', ')}`;
}

function encryptionOf({ known, token }: RemoteEndpoint): string {
  const { protocol, hostname } = new URL(known.url);
  if (protocol === 'https:') return 'encrypted';
  if (LOOPBACK.test(hostname)) return 'this machine';
  return token === 'none'
    ? 'not encrypted'
    : 'not encrypted: whoever is on the way can read the token; use https';
}
