/**
 * A trained network as an ONNX file: as much of the format (onnx.proto3, "ModelProto") as dense layers need. Scaling is
 * part of the graph, so that whoever asks the model sends readings as they are.
 */
const FLOAT = 1;
const ATTRIBUTE = { int: 2 };
const IR_VERSION = 8;
const OPSET = 17;

/**
 * @param model `{network, scaler: {mean, scale}?, target: {mean, scale}?, isClasses}`: inputs become `(x - mean) * scale`,
 *   an output `y * scale + mean`, or with `isClasses` probabilities.
 * @param names `{input, output}` of tensors `[batch, n]`
 */
export function onnxFile({ network: { layers }, scaler, target, isClasses }, names) {
  const graph = new Graph();
  let value = names.input;
  if (scaler) {
    value = graph.node('Sub', [value, graph.constant('mean', [scaler.mean.length], scaler.mean)]);
    value = graph.node('Mul', [value, graph.constant('scale', [scaler.scale.length], scaler.scale)]);
  }
  for (const [at, { inputs, outputs, weights, biases }] of layers.entries()) {
    const parameters = [
      graph.constant(`weights-${at}`, [inputs, outputs], weights),
      graph.constant(`biases-${at}`, [outputs], biases),
    ];
    value = graph.node('Gemm', [value, ...parameters]);
    if (at < layers.length - 1) value = graph.node('Relu', [value]);
  }
  if (target) {
    value = graph.node('Mul', [value, graph.constant('target-scale', [1], [target.scale])]);
    value = graph.node('Add', [value, graph.constant('target-mean', [1], [target.mean])]);
  }
  if (isClasses) graph.node('Softmax', [value], names.output, [attribute('axis', -1)]);
  else graph.node('Identity', [value], names.output);
  const input = valueInfo(names.input, layers[0].inputs);
  const output = valueInfo(names.output, layers.at(-1).outputs);
  return message([
    integer(1, IR_VERSION),
    text(2, 'sluice-lab-example'),
    bytes(7, graph.encoded(input, output)),
    bytes(8, message([text(1, ''), integer(2, OPSET)])),
  ]);
}

class Graph {
  nodes = [];
  constants = [];

  /** @returns the name of what it gives. */
  node(type, inputs, output = `${type.toLowerCase()}-${this.nodes.length}`, attributes = []) {
    this.nodes.push(
      message([
        ...inputs.map((name) => text(1, name)),
        text(2, output),
        text(3, output),
        text(4, type),
        ...attributes.map((one) => bytes(5, one)),
      ]),
    );
    return output;
  }

  constant(name, dims, values) {
    const floats = Float32Array.from(values);
    const tensor = [
      ...dims.map((dim) => integer(1, dim)),
      integer(2, FLOAT),
      text(8, name),
      bytes(9, Buffer.from(floats.buffer)),
    ];
    this.constants.push(message(tensor));
    return name;
  }

  encoded(input, output) {
    return message([
      ...this.nodes.map((node) => bytes(1, node)),
      text(2, 'model'),
      ...this.constants.map((tensor) => bytes(5, tensor)),
      bytes(11, input),
      bytes(12, output),
    ]);
  }
}

function attribute(name, value) {
  return message([text(1, name), integer(3, value), integer(20, ATTRIBUTE.int)]);
}

/** `[batch, width]` of floats. */
function valueInfo(name, width) {
  const shape = message([bytes(1, text(2, 'batch')), bytes(1, integer(1, width))]);
  const tensor = message([integer(1, FLOAT), bytes(2, shape)]);
  return message([text(1, name), bytes(2, bytes(1, tensor))]);
}

// Protocol Buffers' encoding: a field is its number and kind, and then a varint, or a length and so many bytes.
const message = (fields) => Buffer.concat(fields);
const integer = (field, value) => Buffer.concat([varint(BigInt(field) << 3n), varint(BigInt(value))]);
const bytes = (field, value) =>
  Buffer.concat([varint((BigInt(field) << 3n) | 2n), varint(BigInt(value.length)), value]);
const text = (field, value) => bytes(field, Buffer.from(value));

function varint(value) {
  const parts = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) parts.push(Number(rest & 127n) | 128);
  return Buffer.from([...parts, Number(rest)]);
}
