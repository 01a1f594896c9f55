import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';

import type { OpenedFiles } from '../core/contract';

/** What Sluice is registered for: it is asked to open nothing else. */
const MODEL_FILE = /\.(?:onnx|gguf)$/i;
/** Of one opening: a selection of a whole folder must not flood the console. */
const MAX_FILES = 50;

export interface FileOpener {
  /** Takes the models among a command line's arguments, or paths of the system's. @param folder what they are relative to */
  readonly offer: (args: readonly string[], folder: string) => void;
  /** What was offered since; given once. */
  readonly take: () => OpenedFiles;
}

/** Keeps files that the system asked to open until the window asks for them. @param onOffered there are some. */
export function createFileOpener(onOffered: () => void): FileOpener {
  let paths: string[] = [];
  let refused: string[] = [];
  return {
    offer: (args, folder) => {
      const named = args.filter((arg) => !arg.startsWith('-') && MODEL_FILE.test(arg));
      if (named.length === 0) return;
      for (const path of named.slice(0, MAX_FILES).map((arg) => resolve(folder, arg))) {
        const reason = refusal(path);
        if (reason !== undefined) refused.push(reason);
        else if (!paths.includes(path)) paths.push(path);
      }
      if (named.length > MAX_FILES) {
        refused.push(`${named.length} files were opened at once; the first ${MAX_FILES} are imported.`);
      }
      onOffered();
    },
    take: () => {
      const taken = { paths, refused };
      paths = [];
      refused = [];
      return taken;
    },
  };
}

function refusal(path: string): string | undefined {
  if (!isAbsolute(path) || path.includes('\0')) return `${path} is not a path of this machine.`;
  try {
    return statSync(path).isFile() ? undefined : `${path} is not a file: open an .onnx or .gguf file.`;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code === 'ENOENT'
      ? `There is no file ${path}.`
      : `${path} can't be opened (${code ?? 'unknown'}).`;
  }
}
