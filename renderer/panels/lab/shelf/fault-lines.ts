import type { WireError } from '../../../../core/contract';

/** How the lab begins a message that lists faults, each with its path. */
const LISTED = /can't be used as it is\. (.+?)\.?$/s;

/** The faults of an input that the lab refused, each `path: what is wrong`; none where it is about something else. */
export function faultLines({ message, details }: WireError): readonly string[] {
  const listed = details['faults'];
  if (Array.isArray(listed)) return listed as readonly string[];
  // Over the lab's HTTP only the message arrives.
  return LISTED.exec(message)?.[1]?.split('; ') ?? [];
}
