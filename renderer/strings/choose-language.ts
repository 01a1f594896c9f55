/** English with every text lengthened and accented: what stays plain English is not in the catalogue. */
const PSEUDO = 'pseudo';

/**
 * The first language the reader prefers that there is; `en` when none is. `?lang=` goes before the preferences.
 * @param available BCP 47 tags with a catalogue.
 * @param preferred BCP 47 tags, the dearest first; `de-AT` is served by `de`.
 * @param query The page's query with its question mark.
 */
export function chooseLanguage(
  available: readonly string[],
  preferred: readonly string[],
  query: string,
): string {
  const asked = new URLSearchParams(query).get('lang');
  if (asked === PSEUDO) return PSEUDO;
  for (const tag of asked === null ? preferred : [asked, ...preferred]) {
    const found = available.find((language) => covers(language, tag));
    if (found !== undefined) return found;
  }
  return 'en';
}

function covers(language: string, tag: string): boolean {
  const [have, want] = [language.toLowerCase(), tag.toLowerCase()];
  return want === have || want.startsWith(`${have}-`);
}
