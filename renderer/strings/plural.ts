/** A count with its noun in the form that a language wants for it: `1 run`, `12 runs`. */
export type Plural = (count: number, forms: PluralForms, written?: string) => string;

/** Nouns by CLDR's categories; English has `one` and `other`. */
export type PluralForms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

/**
 * @param tag BCP 47 tag of the language the forms are written in.
 * @returns chooses the form of a count; `written` stands for the count when it is already formatted.
 */
export function pluralOf(tag: string): Plural {
  const rules = new Intl.PluralRules(tag);
  return (count, forms, written = String(count)) => `${written} ${forms[rules.select(count)] ?? forms.other}`;
}

/** `1st`, `22nd`: the ending by the language's ordinal categories. */
export function ordinalOf(tag: string, endings: PluralForms): (place: number) => string {
  const rules = new Intl.PluralRules(tag, { type: 'ordinal' });
  return (place) => `${place}${endings[rules.select(place)] ?? endings.other}`;
}
