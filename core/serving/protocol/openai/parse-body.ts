import { isUtf8 } from 'node:buffer';

import type { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { ErrorDetails } from '../../../contract';
import type { RequestFault } from './parameters';

/** More would help nobody. */
const MOST_FAULTS = 20;
const LONGEST_NAME = 60;

/**
 * @param body of the request.
 * @throws SluiceError `bad-input` that lists the faults; details.param is the first one's member, details.apiCode what
 *   OpenAI's API calls it.
 */
export function parseBody<S extends z.ZodType>(schema: S, body: Uint8Array): z.output<S> {
  const parsed = schema.safeParse(jsonOf(body));
  if (parsed.success) return parsed.data;
  const all = parsed.error.issues.flatMap(faultsOf);
  const faults = all.slice(0, MOST_FAULTS);
  const others = all.length > faults.length ? `; and ${all.length - faults.length} others` : '';
  const details: ErrorDetails = {
    faults: faults.map(({ text }) => text),
    ...(faults[0]?.param !== undefined && { param: faults[0].param }),
    ...(faults[0]?.code !== undefined && { apiCode: faults[0].code }),
  };
  throw new SluiceError('bad-input', `${faults.map(({ text }) => text).join('; ')}${others}.`, details);
}

function jsonOf(body: Uint8Array): unknown {
  try {
    if (!isUtf8(body)) throw new SyntaxError('bytes that are not UTF-8');
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      'bad-input',
      `The request: expected ${body.byteLength} bytes of JSON, found ${found.slice(0, 200)}.`,
      {},
      { cause },
    );
  }
}

interface Fault {
  readonly text: string;
  readonly param?: string;
  readonly code?: RequestFault;
}

function faultsOf(issue: z.core.$ZodIssue): readonly Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const param = paramOf([...issue.path, key.slice(0, LONGEST_NAME)]);
      return {
        param,
        text: `${param}: is no parameter Sluice knows; leave it out`,
        code: 'unknown_parameter' as const,
      };
    });
  }
  const code = issue.code === 'custom' ? (issue.params?.['fault'] as RequestFault | undefined) : undefined;
  const param = paramOf(issue.path);
  if (param === '') return [{ text: `The body: ${issue.message}` }];
  return [{ param, text: `${param}: ${issue.message}`, ...(code !== undefined && { code }) }];
}

/** `messages[0].content` */
function paramOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
