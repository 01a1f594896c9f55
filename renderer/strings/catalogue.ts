import type { en } from './en';

/** The same shape with any text: what a translation may put where English has a certain one. */
type Widened<T> = T extends string
  ? string
  : T extends (...args: infer Args) => infer Result
    ? (...args: Args) => Widened<Result>
    : { readonly [Key in keyof T]: Widened<T[Key]> };

/** Every text of the console in one language. */
export type Catalogue = Widened<typeof en>;
