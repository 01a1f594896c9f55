import { isUtf8 } from 'node:buffer';

import type { z } from 'zod';

import { SluiceError } from '../../contract';

/** More would help nobody. */
const MOST_FAULTS = 20;

/**
 * What a request asks for.
 * @param input a query, or a parsed body.
 * @throws SluiceError `bad-input` that lists the faults.
 */
export function parseRequest<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, MOST_FAULTS).map(({ path, message }) => {
    const where = path.map(String).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  throw new SluiceError('bad-input', `The request: ${faults.join('; ')}.`, { faults });
}

/**
 * A request's JSON body; one without a body asks for nothing.
 * @param body as the lab's server hands it over: bytes. @throws SluiceError `bad-input`.
 */
export function parseJsonBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  return parseRequest(schema, bytes.byteLength === 0 ? {} : jsonOf(bytes));
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    if (!isUtf8(bytes)) throw new SyntaxError('bytes that are not UTF-8');
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const message = `The request: expected ${bytes.byteLength} bytes of JSON, found ${found.slice(0, 200)}.`;
    throw new SluiceError('bad-input', message, {}, { cause });
  }
}
