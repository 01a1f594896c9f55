interface Signature {
  readonly at: number;
  readonly bytes: readonly number[] | string;
  readonly found: string;
}

/** First bytes of files that people mistake for ONNX models; none of them starts a ModelProto. */
const SIGNATURES: readonly Signature[] = [
  {
    at: 0,
    bytes: 'version https://git-lfs',
    found: 'the file is a Git LFS pointer, not the model itself; run `git lfs pull` where it came from',
  },
  { at: 0, bytes: '<', found: 'the file is HTML or XML, perhaps an error page; download the model again' },
  {
    at: 0,
    bytes: '{',
    found: 'the file is JSON, perhaps an error message or a configuration; choose the .onnx file',
  },
  { at: 0, bytes: '[', found: 'the file is JSON; choose the .onnx file' },
  {
    at: 0,
    bytes: [0x50, 0x4b, 0x03, 0x04],
    found: 'the file is a ZIP archive (PyTorch checkpoints are too); unpack it or export the model to ONNX',
  },
  { at: 0, bytes: [0x1f, 0x8b], found: 'the file is gzip-compressed; unpack it first' },
  { at: 0, bytes: 'GGUF', found: 'the file is a GGUF model; import it as a language model' },
  { at: 0, bytes: [0x89, 0x48, 0x44, 0x46], found: 'the file is HDF5 (Keras); export the model to ONNX' },
  { at: 0, bytes: [0x80, 0x02], found: 'the file is a Python pickle (PyTorch); export the model to ONNX' },
  { at: 4, bytes: 'TFL3', found: 'the file is a TensorFlow Lite model; convert it to ONNX' },
  { at: 4, bytes: 'ORTM', found: 'the file is in ORT format; use the .onnx file it was made from' },
  {
    at: 6,
    bytes: '\0\0{"',
    found: 'the file is a safetensors file: weights without a graph; export the model to ONNX',
  },
];

/** What the file plainly is, from its first bytes, or undefined when it may be an ONNX model. */
export function describeForeignFile(head: Uint8Array): string | undefined {
  if (head.byteLength === 0) return 'the file is empty; copy or download it again';
  return SIGNATURES.find((signature) => matches(head, signature))?.found;
}

/** Whether the first bytes are printable ASCII: an explanation for bytes that failed to decode. */
export function looksLikeText(head: Uint8Array): boolean {
  const isText = (byte: number): boolean =>
    byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127);
  return head.every(isText);
}

function matches(head: Uint8Array, signature: Signature): boolean {
  const { at, bytes } = signature;
  const expected = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes);
  return expected.every((byte, index) => head[at + index] === byte);
}
