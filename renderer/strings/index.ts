import type { Catalogue } from './catalogue';
import { chooseLanguage } from './choose-language';
import { en } from './en';
import { pseudoCatalogue } from './pseudo';

/** The languages there are. A translation is a folder beside `en`, typed `Catalogue`, and its line here. */
const CATALOGUES: Readonly<Record<string, Catalogue>> = { en };

const chosen = chooseLanguage(Object.keys(CATALOGUES), navigator.languages, location.search);

/** BCP 47 tag by which numbers and dates are written. */
export const { locale } = chosen;

/** The console's texts in the reader's language, chosen once, when the page loads. */
export const strings: Catalogue = CATALOGUES[chosen.language] ?? pseudoCatalogue(en);

document.documentElement.lang = chosen.language in CATALOGUES ? chosen.language : 'en';

export type { Catalogue } from './catalogue';
