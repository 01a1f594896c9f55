import { ordinalOf, pluralOf } from '../plural';

export const plural = pluralOf('en');
export const ordinal = ordinalOf('en', { one: 'st', two: 'nd', few: 'rd', other: 'th' });
