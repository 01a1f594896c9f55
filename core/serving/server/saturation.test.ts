import { setTimeout as sleep } from 'node:timers/promises';

import { status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';

import { OipClient } from '../client/oip-client';
import type { OipTensor } from '../protocol/tensor';
import { GrpcClient } from '../test-support/grpc-client';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';

/**
 * As hard as the clients can for a short time; and, where SLUICE_SATURATION_SECONDS says for how long, so that the
 * queue stays full but the processor idle: `npm test` runs a minute of that beside its other tests.
 */
const { SLUICE_SATURATION_SECONDS } = process.env;
const LOAD =
  SLUICE_SATURATION_SECONDS === undefined
    ? { seconds: 3, computeMs: 2, pauseMs: 0 }
    : { seconds: Number(SLUICE_SATURATION_SECONDS), computeMs: 100, pauseMs: 400 };
/** More clients than places: one request is being answered, the others wait in the queue or are refused. */
const CLIENTS = 24;
const QUEUE_CAPACITY = 8;

interface Outcomes {
  answered: number;
  refused: number;
}

/** Two clients, one for each protocol. @returns what asks one of them for an echo, and checks it bit for bit. */
function openClients(server: TestServer): {
  readonly echo: (number: number) => Promise<void>;
  readonly close: () => Promise<void>;
} {
  const http = new OipClient({ url: server.url, retries: 0, breaker: { failures: 1e9, openMs: 1 } });
  const grpc = new GrpcClient(server.grpcUrl!);
  const overHttp = async (input: OipTensor): Promise<unknown> =>
    (await http.infer({ model: 'echo-fp32', inputs: [input] })).outputs[0]?.bytes;
  const overGrpc = async (input: OipTensor): Promise<unknown> => {
    const request = { model_name: 'echo-fp32', inputs: [input], raw_input_contents: [input.bytes] };
    const { message } = await grpc.call('ModelInfer', request);
    return (message['raw_output_contents'] as readonly unknown[])[0];
  };
  return {
    echo: async (number) => {
      const bytes = new Uint8Array(Float32Array.of(number, -number).buffer);
      const input: OipTensor = { name: 'x', datatype: 'FP32', shape: [1, 2], bytes };
      expect(await (number % 2 === 0 ? overHttp(input) : overGrpc(input))).toEqual(Buffer.from(bytes));
    },
    close: async () => {
      grpc.close();
      await http.close();
    },
  };
}

async function metricOf({ url }: TestServer, outcome: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = new RegExp(`^sluice_serving_requests_total\\{.*outcome="${outcome}".*\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

it(
  `saturated for ${LOAD.seconds} s by ${CLIENTS} clients of both protocols: every request is answered or refused, none lost`,
  async () => {
    const server = await startTestServer({ queueCapacity: QUEUE_CAPACITY });
    server.models.computeMs = LOAD.computeMs;
    const clients = openClients(server);
    const outcomes: Outcomes = { answered: 0, refused: 0 };
    const untilMs = performance.now() + LOAD.seconds * 1000;
    let asked = 0;
    const askOn = async (): Promise<void> => {
      while (performance.now() < untilMs) {
        const number = asked++;
        try {
          await clients.echo(number);
          outcomes.answered += 1;
        } catch (thrown) {
          expect([status.RESOURCE_EXHAUSTED, 'overloaded']).toContain((thrown as { code: unknown }).code);
          outcomes.refused += 1;
          await sleep(LOAD.pauseMs);
        }
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, askOn));
    expect(outcomes.answered + outcomes.refused).toBe(asked);
    // More was wanted than there was room for, all the time.
    expect(outcomes.refused).toBeGreaterThan(outcomes.answered);
    expect(server.models.begun).toBe(outcomes.answered);
    expect(await metricOf(server, 'ok')).toBe(outcomes.answered);
    await clients.close();
    await server.close();
  },
  LOAD.seconds * 1000 + 30_000,
);
