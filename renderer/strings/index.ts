import type { Catalogue } from './catalogue';
import { chooseLanguage } from './choose-language';
import { en } from './en';
import { pseudoCatalogue } from './pseudo';

/** The languages there are. A translation is a folder beside `en`, typed `Catalogue`, and its line here. */
const CATALOGUES: Readonly<Record<string, Catalogue>> = { en };

const chosen = chooseLanguage(Object.keys(CATALOGUES), navigator.languages, location.search);

/** BCP 47 tag of the console's language; numbers, dates and plurals go by it. */
export const locale = chosen === 'pseudo' ? 'en' : chosen;

/** The console's texts in the reader's language, chosen once, when the page loads. */
export const strings: Catalogue = chosen === 'pseudo' ? pseudoCatalogue(en) : (CATALOGUES[chosen] ?? en);

export type { Catalogue } from './catalogue';
