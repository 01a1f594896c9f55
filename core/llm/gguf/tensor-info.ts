import { SluiceError } from '../../contract';
import { ggmlType, type GgmlType } from './ggml-types';
import { badGguf, type GgufCursor } from './gguf-cursor';

/** Where a tensor stands and how it is stored. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major as everywhere in Sluice, `[out, in]` for a projection: the reverse of what the file lists. */
  readonly dims: readonly number[];
  readonly type: GgmlType;
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** As the file has it: the offset counts from the end of the header. */
export type TensorInfo = Omit<GgufTensor, 'byteLength'>;

/** ggml's own limits (GGML_MAX_NAME, GGML_MAX_DIMS). */
const MAX_NAME_BYTES = 64;
const MAX_DIMS = 4;
const NAME_COST_BYTES = 200;

export function readTensorInfo(cursor: GgufCursor): TensorInfo {
  const name = cursor.string('a tensor name', MAX_NAME_BYTES);
  cursor.charge(NAME_COST_BYTES);
  const rankAt = cursor.offset;
  const rank = cursor.uint32(`the rank of '${name}'`);
  if (rank > MAX_DIMS)
    cursor.fail(`tensor '${name}': expected at most ${MAX_DIMS} axes, found ${rank}`, rankAt);
  const dims: number[] = [];
  for (let axis = 0; axis < rank; axis += 1) {
    dims.unshift(cursor.count(`a size in tensor '${name}'`, Number.MAX_SAFE_INTEGER));
  }
  const type = readType(cursor, name);
  const offset = cursor.count(`an offset of tensor '${name}'`, Number.MAX_SAFE_INTEGER);
  return { name, dims, type, offset };
}

function readType(cursor: GgufCursor, name: string): GgmlType {
  const id = cursor.uint32(`the type of '${name}'`);
  const type = ggmlType(id);
  if (type) return type;
  throw new SluiceError(
    'unsupported',
    `${cursor.file}: tensor '${name}' has the type ${id}, which this version of Sluice does not know.`,
    { file: cursor.file, tensor: name },
  );
}

interface DataSection {
  readonly alignment: number;
  readonly dataOffset: number;
  readonly sizeBytes: number;
}

/** Offsets within the file, and each tensor apart from the others. @throws SluiceError `bad-model`. */
export function checkTensors(
  file: string,
  infos: ReadonlyMap<string, TensorInfo>,
  section: DataSection,
): ReadonlyMap<string, GgufTensor> {
  const tensors = new Map([...infos].map(([name, info]) => [name, placeTensor(file, info, section)]));
  let previous: GgufTensor | undefined;
  for (const tensor of [...tensors.values()].sort((a, b) => a.offset - b.offset)) {
    if (previous && tensor.byteLength > 0 && tensor.offset < previous.offset + previous.byteLength) {
      throw badGguf(file, `tensors '${previous.name}' and '${tensor.name}' overlap at byte ${tensor.offset}`);
    }
    if (tensor.byteLength > 0) previous = tensor;
  }
  return tensors;
}

function placeTensor(file: string, info: TensorInfo, section: DataSection): GgufTensor {
  const { name, dims, type } = info;
  const problem = (text: string): SluiceError => badGguf(file, `tensor '${name}': ${text}`, { tensor: name });
  const shape = `[${dims.join(', ')}]`;
  const elements = dims.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(elements)) throw problem(`shape ${shape} has too many elements`);
  const rowElements = dims.at(-1) ?? 1;
  if (rowElements % type.blockElements !== 0) {
    throw problem(
      `expected rows of a multiple of ${type.blockElements} elements for ${type.name}, found ${shape}`,
    );
  }
  if (info.offset % section.alignment !== 0) {
    throw problem(`expected an offset that is a multiple of ${section.alignment}, found ${info.offset}`);
  }
  const byteLength = (elements / type.blockElements) * type.blockBytes;
  const offset = section.dataOffset + info.offset;
  const missing = offset + byteLength - section.sizeBytes;
  if (missing > 0) {
    throw problem(
      `${shape} of ${type.name} takes bytes ${offset} to ${offset + byteLength}, but the file ends at byte ` +
        `${section.sizeBytes}: ${missing} bytes are missing; the file was cut short, copy or download it again`,
    );
  }
  return { name, dims, type, offset, byteLength };
}
