import { describe, expect, it } from 'vitest';

import { strings } from '.';
import { chooseLanguage } from './choose-language';
import { en } from './en';
import { ordinal, plural } from './en/plural';
import { pluralOf } from './plural';
import { pseudo, pseudoCatalogue } from './pseudo';

describe('the choice of a language', () => {
  it.each([
    [['de-AT', 'en'], '', { language: 'de', locale: 'de-AT' }],
    [['fr', 'en-GB'], '', { language: 'en', locale: 'en-GB' }],
    [['EN-us'], '', { language: 'en', locale: 'EN-us' }],
    [['fr'], '', { language: 'en', locale: 'en' }],
    [['den'], '', { language: 'en', locale: 'en' }],
    [['en'], '?lang=de', { language: 'de', locale: 'de' }],
    [['de'], '?lang=xx', { language: 'de', locale: 'de' }],
    [['de'], '?lang=pseudo', { language: 'pseudo', locale: 'en' }],
    [[], '', { language: 'en', locale: 'en' }],
  ])('%j with %j', (preferred, query, choice) => {
    expect(chooseLanguage(['en', 'de'], preferred, query)).toEqual(choice);
  });

  it('is told to assistive technology', () => expect(document.documentElement.lang).toBe('en'));
});

describe('plurals', () => {
  it.each([
    [0, '0 runs'],
    [1, '1 run'],
    [21, '21 runs'],
  ])('%d', (count, text) => expect(plural(count, { one: 'run', other: 'runs' })).toBe(text));

  it('takes a count that is written already', () => {
    expect(plural(1200, { one: 'run', other: 'runs' }, '1 200')).toBe('1 200 runs');
  });

  it('knows more forms where a language has them', () => {
    const polish = pluralOf('pl');
    const forms = { one: 'bieg', few: 'biegi', many: 'biegów', other: 'biegu' };
    expect([1, 3, 5, 22].map((count) => polish(count, forms))).toEqual([
      '1 bieg',
      '3 biegi',
      '5 biegów',
      '22 biegi',
    ]);
  });

  it.each([
    [1, '1st'],
    [2, '2nd'],
    [3, '3rd'],
    [11, '11th'],
    [112, '112th'],
    [121, '121st'],
  ])('ordinal %d', (place, text) => expect(ordinal(place)).toBe(text));
});

describe('the pseudo language', () => {
  /** Every text of a catalogue; functions are left out, since they want arguments. */
  function texts(value: unknown): readonly string[] {
    if (typeof value === 'string') return [value];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
  }

  it('accents and lengthens', () => {
    expect(pseudo('Run once')).toBe('⟦Rúñ óñçé~~~⟧');
    expect(pseudo(' · ')).toBe(' · ');
  });

  it('changes every text with letters, and what functions give', () => {
    const catalogue = pseudoCatalogue(strings);
    const plain = new Set(texts(en));
    expect(texts(catalogue).filter((text) => /\p{L}/u.test(text) && plain.has(text))).toEqual([]);
    expect(catalogue.run.curve.runs(2)).toContain(pseudo('2 runs'));
    expect(Object.keys(catalogue)).toEqual(Object.keys(en));
  });
});
