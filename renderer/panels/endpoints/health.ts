import type { EndpointRecord } from '../../../core/contract';

/** Whether something is wrong (red), not as it should be (amber), or neither. */
export type Concern = 'failure' | 'degraded' | 'none';

export function healthConcern({ health }: EndpointRecord): Concern {
  if (health.state === 'unreachable' || health.state === 'refused') return 'failure';
  return health.state === 'not-ready' || health.breaker !== 'closed' ? 'degraded' : 'none';
}

/** Whether a text can be an endpoint’s address; saves a round trip, the engine checks it again. */
export function isEndpointUrl(text: string): boolean {
  try {
    const { protocol, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && username === '' && password === '';
  } catch {
    return false;
  }
}
