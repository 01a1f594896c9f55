import { SluiceError } from '../../contract';
import { versionsOf } from './published-file';
import type { StoredModel, StoredPublications, StoredVersion } from './published-file';

/** A version that is to answer. */
export interface NewVersion extends StoredVersion {
  readonly servedAs: string;
  readonly model: string;
  readonly sharePct: number;
}

/** @throws SluiceError `not-found`. */
export function modelIn({ models }: StoredPublications, servedAs: string): StoredModel {
  const found = models.find((model) => model.servedAs === servedAs);
  if (found) return found;
  const names = models.map((model) => model.servedAs).join(', ') || 'nothing';
  throw new SluiceError('not-found', `Nothing is published here as ${servedAs}; there is ${names}.`, {
    servedAs,
  });
}

/** @throws SluiceError `conflict`, `not-found`: whether a version can be published now. */
export function checkNewVersion(
  state: StoredPublications,
  { servedAs, model, version, sharePct }: Omit<NewVersion, 'library'>,
): void {
  const known = state.models.find((one) => one.servedAs === servedAs);
  const refuse = (problem: string): never => {
    throw new SluiceError('conflict', `${servedAs}: ${problem}.`, { servedAs, version });
  };
  if (!known) {
    if (sharePct === 100) return;
    throw new SluiceError(
      'not-found',
      `${servedAs}: a canary needs a version beside it that answers the others, and none is published here; publish it at 100%.`,
      { servedAs },
    );
  }
  if (known.model !== model) refuse(`it is ${known.model}; publish ${model} under another name`);
  if (known.stable.version === version) refuse(`version ${version} is the stable one already`);
  if (known.canary) {
    refuse(`version ${known.canary.version} is a canary already; promote it or roll it back first`);
  }
}

/** @throws as `checkNewVersion`. */
export function withNewVersion(state: StoredPublications, added: NewVersion): StoredPublications {
  checkNewVersion(state, added);
  const { servedAs, model, version, library, sharePct } = added;
  const known = state.models.find((one) => one.servedAs === servedAs);
  const next = { version, library };
  if (!known) return { ...state, models: [...state.models, { servedAs, model, stable: next }] };
  if (sharePct === 100) return replaced(state, { servedAs, model, stable: next, previous: known.stable });
  const { previous, ...others } = known;
  const kept = previous && previous.version !== version ? { previous } : {};
  return replaced(state, { ...others, ...kept, canary: { ...next, sharePct } });
}

/** @param sharePct 100: it becomes the stable one. @throws SluiceError `not-found`. */
export function withCanaryAt(
  state: StoredPublications,
  servedAs: string,
  sharePct: number,
): StoredPublications {
  const { canary, previous, ...known } = modelIn(state, servedAs);
  if (!canary) throw new SluiceError('not-found', `${servedAs} has no canary; publish one.`, { servedAs });
  if (sharePct < 100) {
    return replaced(state, { ...known, ...(previous && { previous }), canary: { ...canary, sharePct } });
  }
  const { version, library } = canary;
  return replaced(state, { ...known, stable: { version, library }, previous: known.stable });
}

/** @throws SluiceError `not-found`. */
export function rolledBack(state: StoredPublications, servedAs: string): StoredPublications {
  const { canary, previous, ...known } = modelIn(state, servedAs);
  if (canary) return replaced(state, { ...known, ...(previous && { previous }) });
  if (previous) return replaced(state, { ...known, stable: previous });
  throw new SluiceError(
    'not-found',
    `${servedAs} has neither a canary nor a version before ${known.stable.version} to go back to.`,
    { servedAs },
  );
}

/** @throws SluiceError `not-found`. */
export function withoutModel(state: StoredPublications, servedAs: string): StoredPublications {
  modelIn(state, servedAs);
  return { ...state, models: state.models.filter((model) => model.servedAs !== servedAs) };
}

/** Names in the library of all versions. */
export function libraryNames({ models }: StoredPublications): ReadonlySet<string> {
  return new Set(models.flatMap(versionsOf).map(({ library }) => library));
}

function replaced(state: StoredPublications, changed: StoredModel): StoredPublications {
  const models = state.models.map((model) => (model.servedAs === changed.servedAs ? changed : model));
  return { ...state, models };
}
