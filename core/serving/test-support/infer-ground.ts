import { afterAll, beforeAll, beforeEach, expect } from 'vitest';

import type { ServerLimits } from '../server/server-limits';
import { ask } from './api-client';
import { startTestServer } from './test-server';
import type { TestServer } from './test-server';

export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** `{ text }` of an answer that is no JSON. */
  readonly json: Record<string, unknown>;
}

export interface InferGround {
  /** Set once the tests run. Its models compute at once and without faults at the beginning of each. */
  server: TestServer;
  /** @param body absent: GET. */
  ask(path: string, body?: unknown, headers?: Record<string, string>): Promise<JsonAnswer>;
  /** After whatever happened, the next request gets its answer. */
  servesOn(): Promise<void>;
}

/** A request to a model that takes `x`, FP32 `[1, 2]`. */
export const x = (data: unknown, more: object = {}): object => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data, ...more }],
});

/** A server with a short queue for all tests of a file; called once, outside of them. */
export function useInferServer(): InferGround {
  const limits: Partial<ServerLimits> = { bodyBytes: 20_000, headersTimeoutMs: 200, requestTimeoutMs: 400 };
  const ground = {
    ask: async (path, body, headers) => {
      const { status, headers: got, text } = await ask(`${ground.server.url}${path}`, body, headers);
      const isJson = text.startsWith('{') || text.startsWith('[');
      return { status, headers: got, json: isJson ? (JSON.parse(text) as JsonAnswer['json']) : { text } };
    },
    servesOn: async () => {
      expect(await ground.ask('/v2/models/echo-fp32/infer', x([1, 2]))).toMatchObject({ status: 200 });
    },
  } as InferGround;
  beforeAll(async () => {
    ground.server = await startTestServer({ limits, queueCapacity: 2 });
  });
  afterAll(() => ground.server.close());
  beforeEach(() => {
    ground.server.models.fault = undefined;
    ground.server.models.computeMs = 0;
  });
  return ground;
}
