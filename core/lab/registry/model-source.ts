import { SluiceError } from '../../contract';
import { pathOfArtifactUri } from '../artifacts/artifact-uri';
import { quote } from './names';

/** Finds what a source refers to. */
export interface SourceLookup {
  /** Where a run's artifacts are. @throws SluiceError `not-found`. */
  artifactUriOf(this: void, runId: string): string;
  /** Where the files of a logged model (MLflow 3, `m-...`) are; `undefined`: ask the tracking server. */
  loggedModelUri(this: void, modelId: string): string | undefined;
}

const MOST_CHARACTERS = 2000;
/** Prompts have no files; their source is a word (MLflow's prompt registry). */
const PLACEHOLDER = /^[\w-]{1,100}$/;

/**
 * Where the files of a new version are. Paths of this machine are refused: whoever may register a model could have any
 * file of it served.
 * @param versionLocation of another version of the registry. @throws SluiceError `bad-input`, `not-found`.
 */
export function locateSource(
  source: string,
  lookup: SourceLookup,
  versionLocation: (model: string, versionOrAlias: number | string) => string,
): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z\d+.-]+):(.*)$/is.exec(source) ?? [];
  const problem = sourceProblem(source, scheme);
  if (problem !== undefined) throw sourceFault(source, problem);
  switch (scheme.toLowerCase()) {
    case 'models':
      return locateModel(source, rest, lookup, versionLocation);
    case 'runs': {
      const [, runId = '', path = ''] = /^\/([\w-]+)(?:\/(.*))?$/s.exec(rest) ?? [];
      if (runId === '') throw sourceFault(source, 'expected "runs:/RUN/PATH"');
      const root = lookup.artifactUriOf(runId);
      return path === '' ? root : `${root}/${path}`;
    }
    case 'mlflow-artifacts':
      // One with a host is another lab's.
      if (!rest.startsWith('//')) pathOfArtifactUri(source);
      return source;
    default:
      return source;
  }
}

/** @throws SluiceError `bad-input`. */
export function checkPromptSource(source: string): void {
  if (!PLACEHOLDER.test(source))
    throw sourceFault(source, 'a prompt has no files; expected a placeholder of one word');
}

function locateModel(
  source: string,
  rest: string,
  { loggedModelUri }: SourceLookup,
  versionLocation: (model: string, versionOrAlias: number | string) => string,
): string {
  const [, loggedModel] = /^\/(m-[\da-z]+)$/i.exec(rest) ?? [];
  if (loggedModel !== undefined) return loggedModelUri(loggedModel) ?? source;
  const [, model, version, alias] = /^\/([^/:@]+)(?:\/(\d{1,15})|@([^/:@]+))$/.exec(rest) ?? [];
  if (model === undefined) {
    throw sourceFault(source, 'expected "models:/NAME/VERSION", "models:/NAME@ALIAS" or "models:/m-..."');
  }
  return versionLocation(decodeURIComponent(model), version === undefined ? (alias ?? '') : Number(version));
}

function sourceProblem(source: string, scheme: string): string | undefined {
  if (source.length > MOST_CHARACTERS) return `expected at most ${MOST_CHARACTERS} characters`;
  if (scheme === '' || scheme.toLowerCase() === 'file') {
    return 'expected a URI like "mlflow-artifacts:/..." or "models:/...", not a path of some machine; log the files to a run first';
  }
  try {
    const decoded = decodeURIComponent(source);
    if (/[\p{Cc}\\]/u.test(decoded)) return 'it has control characters or backslashes';
    if (decoded.split(/[/?#]/).includes('..')) return 'it has the step ".."';
  } catch {
    return 'it is not percent-encoded UTF-8';
  }
  return undefined;
}

function sourceFault(source: string, problem: string): SluiceError {
  return new SluiceError('bad-input', `Source of a model version ${quote(source)}: ${problem}.`);
}
