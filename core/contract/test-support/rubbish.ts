import fc from 'fast-check';

const NAMES = ['__proto__', 'constructor', 'toString', 'then', 'length', 'toJSON', 'id', 'model', 'input'];

/** Strings that parsers stumble over. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', ' ', '\0', '\ud800', '../../etc/passwd', '/', 'a'.repeat(70_000), ...NAMES),
);

const scalar = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, false, NaN, Infinity, -0, 2 ** 53, -1, 0.5, 1e308),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  text,
  fc.date(),
);

const binary = fc.oneof<fc.Arbitrary<unknown>[]>(
  fc.uint8Array({ maxLength: 8 }),
  fc.float32Array({ maxLength: 8 }),
  fc.bigInt64Array({ maxLength: 4 }),
  fc.constant(new ArrayBuffer(8)),
);

/** Whole values that no request carries, each made anew. */
const MONSTERS: readonly (() => unknown)[] = [
  () => {
    const circle: Record<string, unknown> = {};
    circle['input'] = circle;
    return circle;
  },
  () => {
    const circle: unknown[] = [];
    circle.push(circle);
    return { settings: circle };
  },
  () => Array.from({ length: 1000 }).reduce<unknown>((inner) => [inner], 0),
  () => Array.from({ length: 1000 }).reduce<unknown>((inner) => ({ input: inner }), 0),
  // Doubles with each level: 2^60 values for whoever walks it as a tree.
  () => Array.from({ length: 60 }).reduce<unknown>((inner) => [inner, inner], 0),
  () => {
    const holes: unknown[] = [];
    holes.length = 2 ** 32 - 1;
    return { runs: holes, tags: holes, brushes: holes };
  },
  () => ({ runs: new Array(200_000).fill(7), runIds: new Array(99_000).fill(7) }),
  () => Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, index])),
  () => new Map([['jobId', 'j']]),
  () => new Set(['jobId']),
  () => new Error('an error'),
  () => /x/g,
  () => ({ toString: 5, valueOf: 5 }),
  () => JSON.parse('{"__proto__": {"jobId": "j", "path": "/m"}, "constructor": {"prototype": 1}}') as unknown,
];

/** Without it a failing property would write the monster out, which takes for ever. */
function named(monster: unknown, index: number): unknown {
  if (typeof monster !== 'object' || monster === null) return monster;
  return Object.defineProperty(monster, fc.toStringMethod, { value: () => `monster ${index}` });
}

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { weight: 4, arbitrary: scalar },
    { weight: 1, arbitrary: binary },
    { weight: 1, arbitrary: fc.nat(MONSTERS.length - 1).map((index) => named(MONSTERS[index]?.(), index)) },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 4 }) },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES), text), tie('value')), { maxLength: 5 })
        .map((entries) => Object.fromEntries(entries) as unknown),
    },
  ),
}));

/** Any value that structured clone carries, much of it made to hurt. */
export const rubbish: fc.Arbitrary<unknown> = value;

/** A sound input of which one member, at any depth, is rubbish or gone, or which has one more. */
export function nearly(sound: unknown): fc.Arbitrary<unknown> {
  if (typeof sound !== 'object' || sound === null || ArrayBuffer.isView(sound)) return rubbish;
  const keys = Object.keys(sound);
  const inside = keys.map((key) =>
    nearly((sound as Record<string, unknown>)[key]).map((member) => withMember(sound, key, member)),
  );
  const extra = fc
    .tuple(fc.constantFrom(...NAMES), rubbish)
    .map(([key, member]) => withMember(sound, key, member));
  const gone = keys.map((key) => fc.constant(withMember(sound, key, undefined)));
  return fc.oneof(extra, ...inside, ...gone);
}

function withMember(whole: object, key: string, member: unknown): unknown {
  // No array stays one: it would take no rubbish for its length.
  const copy: object = Array.isArray(whole) && /^\d+$/.test(key) ? [...(whole as unknown[])] : { ...whole };
  // Not by assignment, which would set the prototype for the key __proto__.
  Object.defineProperty(copy, key, { value: member, enumerable: true, configurable: true, writable: true });
  return copy;
}
