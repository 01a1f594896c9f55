/** Two requests where a proxy in front may see one, or one where it may see two. */
export const SMUGGLED: readonly (readonly [what: string, head: string])[] = [
  ['a length and chunks', 'content-length: 4\r\ntransfer-encoding: chunked\r\n'],
  ['two lengths', 'content-length: 4\r\ncontent-length: 60\r\n'],
  ['a signed length', 'content-length: +4\r\n'],
  ['a length in hexadecimal', 'content-length: 0x4\r\n'],
  ['a space before the colon', 'content-length : 4\r\n'],
  ['a folded header', 'transfer-encoding:\r\n chunked\r\ncontent-length: 4\r\n'],
  ['chunks by another name', 'transfer-encoding: xchunked\r\n'],
  ['chunks that are not the last coding', 'transfer-encoding: chunked, identity\r\n'],
  ['a bare line feed', 'x: y\ntransfer-encoding: chunked\r\n'],
  ['a bare carriage return', 'x: y\rcontent-length: 4\r\n'],
  ['a NUL', 'x: \0\r\n'],
];
