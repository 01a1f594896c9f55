/** @returns undefined where the text is no URL. Engines older than Node 19.9 have no `URL.canParse`. */
export function parseUrl(text: string, from?: URL): URL | undefined {
  try {
    return new URL(text, from);
  } catch {
    return undefined;
  }
}
