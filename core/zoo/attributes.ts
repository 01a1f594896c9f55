import type { Attribute } from '../onnx';

/** Attribute constructors: JavaScript's one number type can't tell ONNX ints from floats, so the caller says. */
export function intAttribute(name: string, value: number): Attribute {
  return { name, type: 'int', value: BigInt(value) };
}

export function intsAttribute(name: string, values: readonly number[]): Attribute {
  return { name, type: 'ints', value: values.map((value) => BigInt(value)) };
}

export function floatAttribute(name: string, value: number): Attribute {
  return { name, type: 'float', value };
}

export function stringAttribute(name: string, value: string): Attribute {
  return { name, type: 'string', value: new TextEncoder().encode(value) };
}
