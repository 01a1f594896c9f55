/** First bytes of the image formats `decodeImage` reads, and their media types. */
const SIGNATURES: readonly (readonly [mime: string, at: number, bytes: string])[] = [
  ['image/png', 0, '89504e470d0a1a0a'],
  ['image/jpeg', 0, 'ffd8ff'],
  ['image/webp', 8, '57454250'],
  ['image/bmp', 0, '424d'],
  ['image/tiff', 0, '49492a00'],
  ['image/tiff', 0, '4d4d002a'],
  ['image/avif', 4, '6674797061766966'],
];

/** Media type of an image by its first bytes; undefined for anything else. */
export function imageType(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString('hex');
  return SIGNATURES.find(([, at, signature]) => head.startsWith(signature, 2 * at))?.[0];
}
