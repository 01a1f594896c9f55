import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files under a folder that hold a secret as it is, as UTF-16, or in an encoding that needs no key. */
export function filesWithSecret(folder: string, secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const forms = [
    bytes,
    Buffer.from(secret, 'utf16le'),
    // Up to a byte less at either end, which depends on what stands before and behind it.
    ...[0, 1, 2].flatMap((skip) => {
      const text = bytes.subarray(skip).toString('base64').slice(0, -4);
      return [Buffer.from(text), Buffer.from(text.replaceAll('+', '-').replaceAll('/', '_'))];
    }),
    Buffer.from(bytes.toString('hex')),
  ];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => {
      const content = readFileSync(path);
      return forms.some((form) => content.includes(form));
    });
}
