import type { WireError } from '../../../../core/contract';
import { faultLines } from '../shelf';
import { jsonPlaces, lineAndColumn, placeOf } from './json-places';

/** What is wrong with a search's JSON, and where. */
export interface SearchFault {
  readonly offset: number;
  /** From 1 on. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Top-level names of a search; the lab's other faults are about the trials' launch. */
const OWN =
  /^(?:search\.)?((?:space|metric|algorithm|seed|maxResource|budget|maxTrials|parallel|maxFailures|first|the whole)\b.*)$/;

/**
 * Where the text is no JSON or, where it is, what of it the lab refused: each fault names a path.
 * @param refused absent: the text was not sent yet.
 */
export function searchFaults(text: string, refused?: WireError): readonly SearchFault[] {
  const { fault, places } = jsonPlaces(text);
  const at = (offset: number, message: string): SearchFault => ({
    offset,
    ...lineAndColumn(text, offset),
    message,
  });
  if (fault !== undefined) return [at(fault.offset, fault.message)];
  if (refused === undefined) return [];
  return faultLines(refused).flatMap((line) => {
    const [, path = '', message = ''] = /^([^:]+): (.*)$/s.exec(line) ?? [];
    const own = OWN.exec(path)?.[1];
    return own === undefined ? [] : [at(placeOf(places, own), `${own}: ${message}`)];
  });
}
