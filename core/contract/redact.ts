/** Whose traces are taken out of a text besides secrets. */
export interface Redacted {
  /** The user's home folder. */
  readonly home: string;
}

const GONE = '[redacted]';
/** Header fields whose values are secrets, up to the end of the line or the quotation. */
const HEADERS =
  /\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*(?:key|token))(["']?\s*[:=]\s*)("[^"\r\n]*"|'[^'\r\n]*'|[^\r\n"']+)/gi;
const SCHEMES = /\b(Bearer|Basic|Digest)\s+[^\s"',;]+/gi;
/** `token=...`, `"apiKey": "..."`, `--password ...`. */
const NAMED =
  /([\w-]*(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|private[-_]?key|credential|session[-_]?id)s?)(["']?(?:\s*[:=]\s*|\s+))("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"',;&)}\]]+)/gi;
/** What users wrote to a model, and what it wrote. */
const WRITTEN =
  /(["']?\b(?:prompt|text|content|question|reply|completion|messages|input|system)["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\[[^\]]*\])/gi;
const URL_LIKE =
  /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#"'<>\\]*@)?([^\s?#"'<>\\]*)(\?[^\s#"'<>\\]*)?(#[^\s"'<>\\]*)?/gi;
const WEB_TOKEN = /\beyJ[\w-]+(?:\.[\w-]+){1,2}/g;
const PREFIXED = /\b(?:hf|sk|pk|ghp|gho|ghs|github_pat|glpat|xox[a-z])[-_][\w-]{8,}/g;
/** Nothing people write is that long and of such letters. */
const LONG = /(?<![\w-])(?=[\w-]*\d)[\w-]{28,}={0,2}(?![\w-])/g;
const HOMES = /(?:\/home|\/Users|[A-Za-z]:\\Users)[\\/][^\\/\s"':]+/g;
/** A quotation as long as that is what somebody wrote, not a name. */
const QUOTED = /"[^"\n]{80,}"|`[^`]{80,}`/g;

/**
 * A text without what is nobody else's business: tokens, passwords, headers with credentials, what URLs carry besides
 * host and path, prompts, and the names of home folders. It takes out too much rather than too little.
 */
export function redact(text: string, { home }: Redacted): string {
  const homeless = home.length > 1 ? text.split(home).join('~') : text;
  return homeless
    .replace(HEADERS, `$1$2${GONE}`)
    .replace(SCHEMES, `$1 ${GONE}`)
    .replace(URL_LIKE, withoutSecrets)
    .replace(NAMED, `$1$2${GONE}`)
    .replace(WRITTEN, `$1${GONE}`)
    .replace(WEB_TOKEN, GONE)
    .replace(PREFIXED, GONE)
    .replace(LONG, GONE)
    .replace(QUOTED, GONE)
    .replace(HOMES, '~');
}

function withoutSecrets(
  _whole: string,
  scheme: string,
  _user: string | undefined,
  place: string,
  query: string | undefined,
  fragment: string | undefined,
): string {
  // An `@` further on, as a password with a slash in it has, ends what may be shown.
  const host = place.includes('@') ? GONE : place;
  return `${scheme}${host}${query === undefined ? '' : `?${GONE}`}${fragment === undefined ? '' : `#${GONE}`}`;
}
