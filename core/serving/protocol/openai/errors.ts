import { SluiceError } from '../../../contract';
import { statusesOf } from '../status-codes';

/** An error as OpenAI's API tells it. */
export interface ApiError {
  readonly status: number;
  readonly body: {
    readonly error: {
      readonly message: string;
      readonly type: 'invalid_request_error' | 'server_error';
      /** Member of the request that is wrong. */
      readonly param: string | null;
      readonly code: string | null;
    };
  };
}

/**
 * What a client may have asked for and Sluice can't do is the request's fault here: OpenAI's clients would send it
 * again after a 501.
 */
function statusOf(error: SluiceError): number {
  return error.code === 'unsupported' ? 400 : statusesOf(error.code).http;
}

/** @param ownStatus of a refusal by the HTTP library. */
export function apiError(thrown: unknown, ownStatus?: number): ApiError {
  const error = SluiceError.from(thrown);
  const status = ownStatus ?? statusOf(error);
  const { param } = error.details;
  return {
    status,
    body: {
      error: {
        message: error.message,
        type: status < 500 ? 'invalid_request_error' : 'server_error',
        param: typeof param === 'string' ? param : null,
        code: codeOf(error, status),
      },
    },
  };
}

/** OpenAI's name for what went wrong where it has one, else ours where the request is not to blame. */
function codeOf({ code, details }: SluiceError, status: number): string | null {
  if (typeof details['apiCode'] === 'string') return details['apiCode'];
  if (details['contextLength'] !== undefined) return 'context_length_exceeded';
  if (code === 'unauthorized') return 'invalid_api_key';
  return status === 400 || status === 413 ? null : code;
}
