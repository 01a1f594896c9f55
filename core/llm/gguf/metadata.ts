import { badGguf } from './gguf-cursor';
import type { GgufArray, GgufValue } from './metadata-value';

/**
 * The key-values of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Every getter throws
 * SluiceError `bad-model`, naming the key, for a value of another type; those of `optional...` give undefined for a
 * key that is not there.
 */
export class GgufMetadata {
  constructor(
    private readonly file: string,
    private readonly values: ReadonlyMap<string, GgufValue>,
  ) {}

  text(key: string): string {
    return this.optionalText(key) ?? this.missing(key, 'text');
  }

  optionalText(key: string): string | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === 'string') return value;
    return this.wrong(key, 'text');
  }

  /** A whole number of 0 or more. */
  count(key: string): number {
    return this.optionalCount(key) ?? this.missing(key, 'a whole number');
  }

  optionalCount(key: string): number | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    return this.wrong(key, 'a whole number of 0 or more');
  }

  number(key: string): number {
    return this.optionalNumber(key) ?? this.missing(key, 'a number');
  }

  optionalNumber(key: string): number | undefined {
    const value = this.values.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return this.wrong(key, 'a number');
  }

  optionalFlag(key: string): boolean | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.wrong(key, 'true or false');
  }

  texts(key: string): readonly string[] {
    return this.optionalTexts(key) ?? this.missing(key, 'an array of texts');
  }

  optionalTexts(key: string): readonly string[] | undefined {
    const array = this.array(key, 'an array of texts');
    if (array === undefined) return undefined;
    if (array.elementType === 'string') return array.values as readonly string[];
    return this.wrong(key, 'an array of texts');
  }

  optionalNumbers(key: string): ArrayLike<number> | undefined {
    const array = this.array(key, 'an array of numbers');
    if (array === undefined) return undefined;
    if (ArrayBuffer.isView(array.values)) return array.values;
    const values = array.values as readonly unknown[];
    if (values.every((value): value is number => typeof value === 'number')) return values;
    return this.wrong(key, 'an array of numbers');
  }

  private array(key: string, expected: string): GgufArray | undefined {
    const value = this.values.get(key);
    if (value === undefined || typeof value === 'object') return value;
    return this.wrong(key, expected);
  }

  private missing(key: string, expected: string): never {
    throw badGguf(this.file, `expected metadata '${key}' (${expected}), found none`, { key });
  }

  private wrong(key: string, expected: string): never {
    const found = describe(this.values.get(key));
    throw badGguf(this.file, `metadata '${key}': expected ${expected}, found ${found}`, { key });
  }
}

function describe(value: GgufValue | undefined): string {
  if (typeof value === 'object') return `an array of ${value.values.length} ${value.elementType}`;
  return typeof value === 'string' ? `text '${value.slice(0, 40)}'` : String(value);
}
