import { SluiceError } from '../../contract';

export const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof STAGES)[number];

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** Its value is `true` on what holds a prompt instead of a model (MLflow's prompt registry). */
export const PROMPT_TAG = 'mlflow.prompt.is_prompt';

const MOST_NAME_CHARACTERS = 256;
const ALIAS = /^[\p{L}\p{N}_-]{1,255}$/u;
const TAG_KEY = /^[\p{L}\p{N}_.\-: /]{1,250}$/u;
const MOST_TAG_CHARACTERS = 100_000;
const MOST_DESCRIPTION_CHARACTERS = 100_000;

/** @throws SluiceError `bad-input`, as all here. */
export function checkModelName(name: string): void {
  if (name.trim() === '') throw fault('Model name', 'a name', 'none');
  if (name.length > MOST_NAME_CHARACTERS) {
    throw fault('Model name', `at most ${MOST_NAME_CHARACTERS} characters`, String(name.length));
  }
  if (/[/:\p{Cc}]/u.test(name) || name === '.' || name === '..') {
    throw fault('Model name', 'a name without "/", ":" and control characters', quote(name));
  }
}

export function checkAlias(alias: string): void {
  if (ALIAS.test(alias)) return;
  throw fault('Alias', '1 to 255 letters, digits, "_" and "-"', quote(alias));
}

/** What is always taken for a version can't be made an alias of another one. */
export function refuseReservedAlias(alias: string): void {
  if (!/^(?:latest|v\d+)$/i.test(alias)) return;
  throw fault(
    'Alias',
    'a name other than "latest" and "v" with a number, which name versions already',
    quote(alias),
  );
}

export function checkTag({ key, value }: Tag): void {
  checkTagKey(key);
  if (value.length <= MOST_TAG_CHARACTERS) return;
  throw fault(`Tag ${quote(key)}`, `at most ${MOST_TAG_CHARACTERS} characters`, String(value.length));
}

export function checkTagKey(key: string): void {
  if (TAG_KEY.test(key)) return;
  throw fault('Tag key', '1 to 250 letters, digits and "_", "-", ".", ":", "/" or spaces', quote(key));
}

export function checkDescription(description: string): void {
  if (description.length <= MOST_DESCRIPTION_CHARACTERS) return;
  throw fault('Description', `at most ${MOST_DESCRIPTION_CHARACTERS} characters`, String(description.length));
}

/** @param text in any case. */
export function parseStage(text: string): Stage {
  const stage = STAGES.find((one) => one.toLowerCase() === text.toLowerCase());
  if (stage) return stage;
  throw fault('Model version stage', `one of ${STAGES.join(', ')}`, quote(text));
}

export function isPrompt(tags: readonly Tag[]): boolean {
  return tags.some(({ key, value }) => key === PROMPT_TAG && value === 'true');
}

/** For messages. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function fault(what: string, expected: string, found: string): SluiceError {
  return new SluiceError('bad-input', `${what}: expected ${expected}, found ${found}.`);
}
