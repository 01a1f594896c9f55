import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';

import { SluiceError } from '../../contract';

/** Where MLflow's clients look for the tracking and registry operations. */
export const MLFLOW_API = '/api/2.0/mlflow';

const MOST_FAULTS = 5;
const IN_QUERY = ['GET', 'DELETE'];
/** An integer that a double may not hold, outside of anything else. */
const LONG_INTEGER = /[:[,\s]-?\d{16,19}\s*[,}\]]/;
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG = /^-?\d{16,}$/;

/**
 * What a request asks, from its query (GET) or its JSON body; unknown fields are left out.
 * @throws SluiceError `bad-input` with the path of what is wrong, what was expected and found; several faults at once.
 */
export function requested<T extends z.ZodType>(schema: T, request: FastifyRequest): z.output<T> {
  const content = isInQuery(request) ? request.query : jsonOf(request.body);
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const faults = issues.slice(0, MOST_FAULTS).map(({ path, message }) => `${pathText(path)}: ${message}`);
  const more = issues.length > MOST_FAULTS ? `; and ${issues.length - MOST_FAULTS} more` : '';
  throw new SluiceError('bad-input', `${faults.join('; ')}${more}.`);
}

/** Clients delete with a body or without. */
function isInQuery({ method, body }: FastifyRequest): boolean {
  return IN_QUERY.includes(method) && !(Buffer.isBuffer(body) && body.length > 0);
}

/** 64-bit integers that a number can't hold become texts. */
function jsonOf(body: unknown): unknown {
  const text = Buffer.isBuffer(body) ? body.toString() : '';
  if (text.trim() === '') return {};
  try {
    return JSON.parse(LONG_INTEGER.test(text) ? quoteLongIntegers(text) : text) as unknown;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `body: expected JSON, found something else: ${reason}.`,
      {},
      { cause },
    );
  }
}

function quoteLongIntegers(text: string): string {
  return text.replace(STRING_OR_NUMBER, (token) => (LONG.test(token) ? `"${token}"` : token));
}

function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'body';
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}
