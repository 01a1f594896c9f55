import type { ErrorDetails, SluiceError } from '../../contract';

const MOST_CHARACTERS = 2000;
const MOST_TEXTS = 100;
/** Names of what is nobody's to be told, whatever it holds. */
const SECRET = /token|secret|passw|passphrase|credential|authorization|cookie|api[-_]?key|private[-_]?key/i;
const URL_USER = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>\\]*@/gi;

/**
 * The details of an error that whoever asked may have: texts are cut to what a person reads, URLs lose a user and
 * password, and what is named as a secret stays here. Of a mistake of ours nothing is told but its message.
 */
export function toldDetails({ code, details }: SluiceError): ErrorDetails {
  if (code === 'internal') return {};
  // `errorCode` is the answer's `error_code`.
  const told = Object.entries(details).filter(([name]) => name !== 'errorCode' && !SECRET.test(name));
  return Object.fromEntries(told.map(([name, value]) => [name, toldValue(value)]));
}

function toldValue(value: ErrorDetails[string]): ErrorDetails[string] {
  if (typeof value === 'string') return toldText(value);
  return Array.isArray(value) ? (value as readonly string[]).slice(0, MOST_TEXTS).map(toldText) : value;
}

function toldText(text: string): string {
  return text.slice(0, MOST_CHARACTERS).replace(URL_USER, '$1');
}
