/** What an update's work was about, for a sentence on why it failed. */
export interface UpdateAttempt {
  /** The server that was named. */
  readonly origin: string;
  /** Where it sent on to, which was not followed. */
  readonly elsewhere?: string | undefined;
}

/** electron-updater's codes, and what each of them means for the person who asked. */
const BY_CODE: Readonly<Record<string, (said: string, origin: string) => string>> = {
  ERR_UPDATER_CHANNEL_FILE_NOT_FOUND: (said, origin) =>
    `${origin} has no ${/channel "([^"]+)"/.exec(said)?.[1] ?? 'list of versions'} at the address that was named`,
  ERR_UPDATER_INVALID_UPDATE_INFO: (said, origin) =>
    `what ${origin} says of its versions can't be read: ${said}`,
  ERR_UPDATER_INVALID_VERSION: (said, origin) => `${origin} names a version that is none: ${said}`,
  ERR_UPDATER_NO_CHECKSUM: (_said, origin) =>
    `${origin} gives no checksum, without which nothing is downloaded`,
  ERR_UPDATER_NO_FILES_PROVIDED: (_said, origin) => `${origin} names a version without a file`,
  ERR_CHECKSUM_MISMATCH: (_said, origin) =>
    `the file is not the one that ${origin} describes (its SHA-512 differs), and was thrown away`,
};

/** Why an update's check or download failed, in one line. What is not known is told in electron-updater's words. */
export function updateProblem(thrown: unknown, { origin, elsewhere }: UpdateAttempt): string {
  if (elsewhere !== undefined)
    return `${origin} sends on to ${elsewhere}, and only the server that was named is asked`;
  const { code = '' } = (thrown ?? {}) as { readonly code?: unknown };
  const [said = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n');
  const known = BY_CODE[String(code)];
  if (known !== undefined) return known(said, origin);
  const status = /^HTTP_ERROR_(\d+)$/.exec(String(code))?.[1] ?? /, status (\d+)/.exec(said)?.[1];
  if (status !== undefined)
    return `${origin} answers ${status} for ${pathIn(said) ?? 'its list of versions'}`;
  return /^net::/.test(said) ? `${origin} can't be reached (${said})` : said;
}

function pathIn(said: string): string | undefined {
  return /"(?:https?:)?\/\/[^/"]+(\/[^"?]*)/.exec(said)?.[1];
}
