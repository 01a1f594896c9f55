import { joinBytesElements } from '../protocol/bytes-elements';
import { isDatatype } from '../protocol/datatype';
import type { Datatype } from '../protocol/datatype';
import type { IncomingTensor } from '../protocol/frame';
import { decodeJsonData } from '../protocol/json-data';
import type { Decoded } from '../protocol/json-data';
import { elementCountOf, shapeText } from '../protocol/tensor';
import type { IncomingRequest } from './check-request';
import type { GrpcInputTensor, GrpcParameters, GrpcTensorContents, ModelInferRequest } from './grpc-messages';
import type { InferenceReply } from './inference-service';
import { refuseUnsupported } from './unsupported-parameters';

/** Where the elements of each datatype lie; half-precision types travel raw only. */
const MEMBERS: Readonly<Partial<Record<Datatype, keyof GrpcTensorContents>>> = {
  BOOL: 'bool_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

/** @throws SluiceError `unsupported` for parameters that can't be ignored. */
export function readGrpcRequest(request: ModelInferRequest): IncomingRequest {
  const { inputs, outputs, raw_input_contents: raw } = request;
  for (const { parameters } of [request, ...inputs, ...outputs]) refuseUnsupported(valuesOf(parameters));
  const faults =
    raw.length === 0 || raw.length === inputs.length
      ? []
      : [`raw_input_contents: expected one entry for each of ${inputs.length} inputs, found ${raw.length}`];
  return {
    inputs: inputs.map((input, index) => readInput(input, raw.length > 0 ? raw[index] : undefined)),
    faults,
    ...(outputs.length > 0 && { outputs: outputs.map(({ name }) => name) }),
  };
}

export function grpcAnswer(id: string, { model, outputs }: InferenceReply): object {
  return {
    model_name: model.name,
    model_version: model.version,
    id,
    outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_output_contents: outputs.map(({ bytes }) => bytes),
  };
}

function readInput(input: GrpcInputTensor, raw: Uint8Array | undefined): IncomingTensor {
  const { name, datatype } = input;
  const shape = input.shape.map(Number);
  return { name, datatype, shape, content: contentOf(input, shape, raw) };
}

function contentOf(
  { datatype, contents }: GrpcInputTensor,
  shape: readonly number[],
  raw: Uint8Array | undefined,
): Decoded {
  if (raw && contents) return { fault: 'has both contents and raw_input_contents; expected one of them' };
  if (raw) return { bytes: raw };
  if (!isDatatype(datatype)) return { fault: `unknown datatype ${JSON.stringify(datatype.slice(0, 40))}` };
  const member = MEMBERS[datatype];
  if (member === undefined) return { fault: `${datatype} travels in raw_input_contents only` };
  const elements = contents?.[member] ?? [];
  if (datatype === 'BYTES') return bytesContent(elements as readonly Uint8Array[], shape);
  // Numbers that JSON lacks go by their names there.
  const named = elements.map((value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
  const decoded = decodeJsonData(datatype, shape, named);
  return 'fault' in decoded ? { fault: decoded.fault.replace('"data"', member) } : decoded;
}

function bytesContent(elements: readonly Uint8Array[], shape: readonly number[]): Decoded {
  const count = elementCountOf(shape);
  if (elements.length === count) return { bytes: joinBytesElements(elements) };
  return {
    fault: `bytes_contents: shape ${shapeText(shape)} takes ${count} elements, found ${elements.length}`,
  };
}

export function valuesOf(parameters: GrpcParameters): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, value[String(value['parameter_choice'])]]),
  );
}
