import type { ChildProcess } from 'node:child_process';

import { SluiceError } from '../../contract';

/**
 * Of the JSON document that `sluice serve --json` prints when it is ready.
 * @param name of the server, for messages.
 * @throws SluiceError `runtime` when it ends before, with what it printed.
 */
export function printedUrl(name: string, child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      if (printed.trimEnd().endsWith('\n}')) resolve((JSON.parse(printed) as { url: string }).url);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const said = printed === '' ? '' : `: ${printed}`;
      reject(
        new SluiceError('runtime', `The ${name} server ended with ${signal ?? `exit code ${code}`}${said}`),
      );
    });
  });
}
