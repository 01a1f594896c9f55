import { SluiceError } from '../contract';
import { bytesPerElement, elementCount, elementsFromBytes } from './tensor';
import type { Tensor, TensorDtype } from './tensor';

/** NumPy type strings, little-endian or single-byte, and ONNX's names for them. */
const DTYPES: ReadonlyMap<string, TensorDtype> = new Map([
  ['<f4', 'float32'],
  ['<f8', 'float64'],
  ['<f2', 'float16'],
  ['|i1', 'int8'],
  ['|u1', 'uint8'],
  ['<i2', 'int16'],
  ['<u2', 'uint16'],
  ['<i4', 'int32'],
  ['<u4', 'uint32'],
  ['<i8', 'int64'],
  ['<u8', 'uint64'],
  ['|b1', 'bool'],
]);

const MAGIC = '\x93NUMPY';

/**
 * Reads an array as `numpy.save` writes it (NumPy format 1.0 to 3.0), row-major and little-endian.
 * @param name what messages call the file.
 * @throws SluiceError `bad-input` naming what is wrong and how to save it.
 */
export function parseNpy(bytes: Uint8Array, name: string): Tensor {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (problem: string): SluiceError =>
    new SluiceError(
      'bad-input',
      `${name}: ${problem}. Save it with numpy.save(file, numpy.ascontiguousarray(array)).`,
      { name },
    );
  if (file.length < 12 || file.toString('latin1', 0, 6) !== MAGIC) throw fail('not a .npy file');
  const wide = (file[6] ?? 0) >= 2;
  const headerAt = wide ? 12 : 10;
  const dataAt = headerAt + (wide ? file.readUInt32LE(8) : file.readUInt16LE(8));
  const header = file.toString('latin1', headerAt, dataAt);
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const dims = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (dataAt > file.length || descr === undefined || order === undefined || dims === undefined) {
    throw fail('the .npy header is damaged or cut off');
  }
  const dtype = DTYPES.get(descr);
  if (!dtype) throw fail(`dtype ${descr} is not supported; expected one of ${[...DTYPES.keys()].join(' ')}`);
  if (order === 'True') throw fail('the array is in Fortran order; expected C order');
  const shape = dims.split(',').map((dim) => dim.trim());
  const sizes = shape.filter((dim) => dim !== '').map(Number);
  const expected = elementCount(sizes) * bytesPerElement(dtype);
  if (file.length - dataAt !== expected) {
    throw fail(
      `shape [${sizes.join(', ')}] of ${dtype} needs ${expected} bytes, found ${file.length - dataAt}`,
    );
  }
  return { dtype, shape: sizes, data: elementsFromBytes(dtype, file.subarray(dataAt)) };
}
