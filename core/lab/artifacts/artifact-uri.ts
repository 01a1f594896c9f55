import { SluiceError } from '../../contract';
import { parseArtifactPath, type ArtifactPath } from './artifact-path';

const SCHEME = 'mlflow-artifacts:/';

/** Where a run's artifacts are, as MLflow's clients are told: they reach it through the server they talk to. */
export function runArtifactUri(experimentId: string, runId: string): string {
  return `${SCHEME}${experimentId}/${runId}/artifacts`;
}

/**
 * The place in the store that a URI names.
 * @throws SluiceError `unsupported` for what another server or store holds, `bad-input` for one that leads out of the store.
 */
export function pathOfArtifactUri(uri: string): ArtifactPath {
  const path = uri.slice(SCHEME.length);
  if (!uri.startsWith(SCHEME) || path.startsWith('/')) {
    throw new SluiceError(
      'unsupported',
      `Artifacts at ${uri.slice(0, 200)}: expected "${SCHEME}...", which this lab keeps; fetch others where they are.`,
      { uri: uri.slice(0, 200) },
    );
  }
  return parseArtifactPath(decoded(path));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    const message = `Artifact URI "${path.slice(0, 200)}": expected percent-encoded UTF-8, found something else.`;
    throw new SluiceError('bad-input', message, {}, { cause });
  }
}
