import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import type { Log } from '../state-file';
import type { KnownBox } from './known-box';

const FILE_VARIABLE = 'SLUICE_FLEET_TOKENS_FILE';
/** Of systemd's LoadCredential=. */
const CREDENTIAL = 'fleet-tokens';
const fileSchema = z.record(z.string(), z.string().regex(/^[\x21-\x7e]+$/));

/** The file that holds tokens of boxes for an engine without a keychain: of the variable, or a systemd credential. */
export function tokensFileOf(env: NodeJS.ProcessEnv): string | undefined {
  const chosen = env[FILE_VARIABLE];
  if (chosen !== undefined && chosen !== '') return chosen;
  const credentials = env['CREDENTIALS_DIRECTORY'];
  return credentials === undefined || credentials === '' ? undefined : join(credentials, CREDENTIAL);
}

/** Tokens of boxes: what this process was told, a keychain's, or those of a file. Never written anywhere. */
export class BoxTokens {
  private readonly held = new Map<string, string>();

  constructor(
    private readonly file: string | undefined,
    private readonly log: Log,
  ) {}

  hold(box: string, token: string): void {
    this.held.set(box, token);
  }

  forget(box: string): void {
    this.held.delete(box);
  }

  /** The file is read each time, so that a token put there counts with the next try. */
  of({ id, name, url }: KnownBox): string | undefined {
    const held = this.held.get(id);
    if (held !== undefined || this.file === undefined) return held;
    const inFile = this.read(this.file);
    return inFile[name] ?? inFile[id] ?? inFile[url];
  }

  private read(path: string): z.infer<typeof fileSchema> {
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      // A service without the credential has no boxes that need one.
      if (code !== 'ENOENT')
        this.log(`${path}: tokens of the fleet can't be read: ${SluiceError.from(thrown).message}`);
      return {};
    }
    const parsed = fileSchema.safeParse(parsedJson(text));
    if (parsed.success) return parsed.data;
    this.log(`${path}: expected {"name of a box": "its token", ...}; no token is taken from it`);
    return {};
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
