import { SluiceError } from '../contract';
import type { Attribute, OnnxGraph, OnnxNode, OnnxTensor } from './model';

type AttributeType = Attribute['type'];
/** Attribute type -> what its value is. */
type AttributeValues = { readonly [A in Attribute as A['type']]: A['value'] };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The value of a node's attribute, or undefined when the node has none of that name.
 * @throws SluiceError `bad-model` when it has another type.
 */
export function findAttribute<T extends AttributeType>(
  node: OnnxNode,
  name: string,
  type: T,
): AttributeValues[T] | undefined {
  const attribute = node.attributes.find((candidate) => candidate.name === name);
  if (!attribute) return undefined;
  if (attribute.type === type) return attribute.value as AttributeValues[T];
  throw new SluiceError(
    'bad-model',
    `node '${node.name}' (${node.opType}): expected attribute '${name}' of type ${type}, found ${attribute.type}`,
    { node: node.name, attribute: name },
  );
}

/** An int attribute; `fallback` is the operator's default. @throws SluiceError `bad-model`. */
export function intAttribute(node: OnnxNode, name: string, fallback: bigint): bigint {
  return findAttribute(node, name, 'int') ?? fallback;
}

/** A string attribute decoded from UTF-8. @throws SluiceError `bad-model`. */
export function stringAttribute(node: OnnxNode, name: string, fallback: string): string {
  const bytes = findAttribute(node, name, 'string');
  return bytes ? decoder.decode(bytes) : fallback;
}

/** Adds the attribute, or replaces the one of the same name. */
export function setAttribute(node: OnnxNode, attribute: Attribute): void {
  const index = node.attributes.findIndex((candidate) => candidate.name === attribute.name);
  if (index < 0) node.attributes.push(attribute);
  else node.attributes[index] = attribute;
}

/**
 * What an attribute can be made from: a bigint is an int, a number a float, a string UTF-8 text; lists likewise.
 * An empty list has no type: give a whole `Attribute` to `setAttribute` instead.
 */
export type AttributeValue =
  | bigint
  | number
  | string
  | OnnxTensor
  | OnnxGraph
  | readonly bigint[]
  | readonly number[]
  | readonly string[];

/** @throws SluiceError `internal` for an empty list. */
export function makeAttribute(name: string, value: AttributeValue): Attribute {
  if (typeof value === 'bigint') return { name, type: 'int', value };
  if (typeof value === 'number') return { name, type: 'float', value };
  if (typeof value === 'string') return { name, type: 'string', value: encoder.encode(value) };
  if ('dims' in value) return { name, type: 'tensor', value };
  if ('nodes' in value) return { name, type: 'graph', value };
  return makeListAttribute(name, value);
}

function makeListAttribute(
  name: string,
  values: readonly bigint[] | readonly number[] | readonly string[],
): Attribute {
  if (isListOf(values, 'bigint')) return { name, type: 'ints', value: values };
  if (isListOf(values, 'number')) return { name, type: 'floats', value: values };
  if (isListOf(values, 'string')) {
    return { name, type: 'strings', value: values.map((text) => encoder.encode(text)) };
  }
  throw new SluiceError('internal', `attribute '${name}': an empty or mixed list has no type`);
}

interface TypeNames {
  bigint: bigint;
  number: number;
  string: string;
}

function isListOf<T extends keyof TypeNames>(
  values: readonly unknown[],
  type: T,
): values is readonly TypeNames[T][] {
  return values.length > 0 && values.every((value) => typeof value === type);
}
