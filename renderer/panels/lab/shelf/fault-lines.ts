import type { WireError } from '../../../../core/contract';

/** The faults of an input that the lab refused, each `path: what is wrong`; none where it is about something else. */
export function faultLines({ details }: WireError): readonly string[] {
  const listed = details['faults'];
  return Array.isArray(listed) ? (listed as readonly string[]) : [];
}
