/** What any answer in JSON of another program takes at most: lists of thousands of runs are some megabytes. */
const MOST_ANSWER_BYTES = 64 * 2 ** 20;

/**
 * The text of a body that another program sends, UTF-8; one without end must not fill the memory.
 * @throws Error beyond `mostBytes` (default 64 MiB), after which the rest is not read; what the body throws.
 */
export async function boundedText(
  body: AsyncIterable<unknown>,
  mostBytes: number = MOST_ANSWER_BYTES,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > mostBytes) throw new Error(`an answer of more than ${mostBytes} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
