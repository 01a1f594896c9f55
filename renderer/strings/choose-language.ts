/** English with every text lengthened and accented: what stays plain is not in the catalogue. For trying layouts. */
const PSEUDO = 'pseudo';

interface Choice {
  /** Key of a catalogue, or `pseudo`. */
  readonly language: string;
  /** BCP 47 tag for numbers and dates: the reader's own, with its region. */
  readonly locale: string;
}

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
): Choice {
  const asked = new URLSearchParams(query).get('lang');
  if (asked === PSEUDO) return { language: PSEUDO, locale: 'en' };
  for (const tag of asked === null ? preferred : [asked, ...preferred]) {
    const language = available.find((candidate) => covers(candidate, tag));
    if (language !== undefined) return { language, locale: tag };
  }
  return { language: 'en', locale: 'en' };
}

function covers(language: string, tag: string): boolean {
  const [have, want] = [language.toLowerCase(), tag.toLowerCase()];
  return want === have || want.startsWith(`${have}-`);
}
