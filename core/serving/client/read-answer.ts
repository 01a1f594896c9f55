import { SluiceError } from '../../contract';
import { JSON_LENGTH_HEADER, readFrame, readTensors, soundTensor, tensorFaults } from '../protocol/frame';
import { inferResponseSchema, parseMessage } from '../protocol/schemas';
import type { OipTensor } from '../protocol/tensor';
import type { ExchangeAnswer } from './http-exchange';

/**
 * The outputs of an inference reply.
 * @param where names the endpoint in errors. @param wanted outputs that must be there.
 * @throws SluiceError `unavailable` when the reply is not what the protocol says.
 */
export function readInferAnswer(
  where: string,
  { headers, body }: ExchangeAnswer,
  wanted: readonly string[] = [],
): { readonly outputs: readonly OipTensor[]; readonly modelVersion: string } {
  try {
    const frame = readFrame('The reply', body, headers.get(JSON_LENGTH_HEADER));
    const reply = parseMessage('The inference reply', inferResponseSchema, frame.json);
    const { tensors, faults } = readTensors(reply.outputs, frame.tail);
    const missing = wanted.filter((name) => !tensors.some((tensor) => tensor.name === name));
    const all = [
      ...faults,
      ...tensors.flatMap((tensor) =>
        tensorFaults(tensor).map((fault) => `output "${tensor.name}": ${fault}`),
      ),
      ...missing.map((name) => `output "${name}" was asked for and is missing`),
    ];
    if (all.length > 0)
      throw new SluiceError('bad-input', `The inference reply is malformed: ${all.join('; ')}.`);
    return { outputs: tensors.map(soundTensor), modelVersion: reply.model_version };
  } catch (cause) {
    throw garbageError(where, SluiceError.from(cause));
  }
}

/** What a reply that breaks the protocol is to the caller: no usable answer of this endpoint. */
export function garbageError(where: string, cause: SluiceError): SluiceError {
  return new SluiceError(
    'unavailable',
    `${where} does not keep to the Open Inference Protocol v2: ${cause.message} Use another endpoint.`,
    {},
    { cause },
  );
}

/** What the server says it spent, by its `Server-Timing` header. */
export function serverTimes({ headers }: ExchangeAnswer): {
  readonly queueMs?: number;
  readonly computeMs?: number;
} {
  const told = headers.get('server-timing') ?? '';
  const queueMs = durationOf(told, 'queue');
  const computeMs = durationOf(told, 'compute');
  return { ...(queueMs !== undefined && { queueMs }), ...(computeMs !== undefined && { computeMs }) };
}

function durationOf(serverTiming: string, metric: string): number | undefined {
  const entry = serverTiming.split(',').find((text) => text.trim().split(';')[0] === metric);
  const duration = /;\s*dur=(\d+(?:\.\d+)?)/.exec(entry ?? '')?.[1];
  return duration === undefined ? undefined : Number(duration);
}
