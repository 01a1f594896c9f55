import { decode, encode, ExtensionCodec } from '@msgpack/msgpack';

import { SluiceError } from './errors';
import { checkWireBounds } from './wire-bounds';

type WireArray = Float32Array | Float64Array | Uint32Array | Int32Array | Uint16Array;

/** MessagePack extension types (0..127 are the application's) of the typed arrays the contract uses. */
const EXTENSIONS = [
  { type: 1, array: Float32Array },
  { type: 2, array: Float64Array },
  { type: 3, array: Uint32Array },
  { type: 4, array: Int32Array },
  { type: 5, array: Uint16Array },
] as const;

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function registerTypedArrays(): ExtensionCodec {
  const codec = new ExtensionCodec();
  for (const { type, array } of EXTENSIONS) {
    codec.register({
      type,
      encode: (value: unknown) => (value instanceof array ? bytesOf(value) : null),
      decode: (bytes: Uint8Array): WireArray => {
        if (bytes.byteLength % array.BYTES_PER_ELEMENT !== 0) {
          throw new SluiceError(
            'bad-input',
            `wire frame: a ${array.name} must hold a multiple of ${array.BYTES_PER_ELEMENT} bytes, found ` +
              `${bytes.byteLength}; both sides must run the same Sluice version`,
          );
        }
        // The payload sits at any offset of the frame; a copy gives the alignment the view needs.
        return new array(bytes.slice().buffer);
      },
    });
  }
  return codec;
}

const codec = registerTypedArrays();

/**
 * One WebSocket frame: MessagePack, with `Float32Array`, `Float64Array`, `Uint32Array`, `Int32Array` and `Uint16Array`
 * as extension types 1 to 5 (their bytes, little-endian as on every machine Sluice runs on) and `Uint8Array` as `bin`.
 * Object keys whose value is `undefined` are left out.
 *
 * The same values cross a MessagePort by structured clone instead; both give the receiver equal data.
 */
export function encodeWire(message: unknown): Uint8Array {
  return encode(message, { extensionCodec: codec, ignoreUndefined: true });
}

/**
 * Reads one frame made by `encodeWire`. Typed arrays are the receiver's own; a `Uint8Array` is a view into `frame`,
 * so the caller must not reuse the frame's buffer. Memory
 * stays within a small multiple of the frame, whatever lengths it declares.
 * @throws SluiceError `bad-input` when the frame is not one whole MessagePack value.
 */
export function decodeWire(frame: ArrayBuffer | Uint8Array): unknown {
  // A Node Buffer is viewed as a plain Uint8Array, or its byte fields would come out as Buffers.
  const bytes = frame instanceof ArrayBuffer ? new Uint8Array(frame) : bytesOf(frame);
  try {
    checkWireBounds(bytes);
    return decode(bytes, { extensionCodec: codec });
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError(
      'bad-input',
      `wire frame of ${bytes.byteLength} bytes: expected one MessagePack value, found ${reason}; ` +
        'both sides must run the same Sluice version',
      { bytes: bytes.byteLength },
      { cause: thrown },
    );
  }
}
