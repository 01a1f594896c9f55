import { readFileSync } from 'node:fs';

import { z } from 'zod';

/** What says whether, and where, updates are looked for. */
export interface UpdateSettings {
  /** Of a folder with `latest*.yml`; undefined: none is asked. */
  readonly url?: string;
  /** Why there is no url. */
  readonly off?: string;
}

export interface UpdateSurroundings {
  readonly env: NodeJS.ProcessEnv;
  /** `updates.json` in the user's settings. */
  readonly file: string;
  readonly platform: NodeJS.Platform;
  readonly isPackaged: boolean;
}

const settingsSchema = z.strictObject({ url: z.string().max(2000) });
const HOW =
  'Updates are off. Name a server in updates.json of the settings folder, or with SLUICE_UPDATE_URL.';

/**
 * Updates are off unless `SLUICE_UPDATE_URL` or the settings' `{"url": "https://..."}` names a server; and where a
 * package manager has installed Sluice, or it runs from a clone. Never throws: a bad setting is a reason.
 */
export function updateSettings({ env, file, platform, isPackaged }: UpdateSurroundings): UpdateSettings {
  const named = env['SLUICE_UPDATE_URL'] ?? '';
  const settings = named === '' ? fromFile(file) : checked(named, 'SLUICE_UPDATE_URL');
  if (settings.url === undefined) return settings;
  if (!isPackaged) return { off: 'Sluice runs from a clone: update it with git.' };
  // Electron-updater replaces AppImages only; a package's files are the package manager's.
  if (platform === 'linux' && (env['APPIMAGE'] ?? '') === '') {
    return { off: "Sluice was installed as a package: update it with the system's package manager." };
  }
  return settings;
}

function fromFile(file: string): UpdateSettings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return {
      off: code === 'ENOENT' ? HOW : `${file} can't be read (${code ?? 'unknown'}): updates are off.`,
    };
  }
  try {
    return checked(settingsSchema.parse(JSON.parse(text)).url, file);
  } catch {
    return { off: `${file}: expected {"url": "https://..."}. Updates are off.` };
  }
}

/** Only this machine may be asked without TLS. */
function checked(text: string, where: string): UpdateSettings {
  const refused = { off: `${where}: expected an https address, found "${text}". Updates are off.` };
  try {
    const { hostname, protocol } = new URL(text);
    const isLocal = protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
    return protocol === 'https:' || isLocal ? { url: text } : refused;
  } catch {
    return refused;
  }
}
