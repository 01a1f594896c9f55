import { SluiceError } from '../../core/contract';
import type { KeychainState, Reply, SavedText, ShellBridge } from '../../core/contract';

/** What the place we run in can do beside the engine: Electron has dialogs and paths, a browser uploads and downloads. */
export interface HostServices {
  readonly kind: 'electron' | 'browser';
  /** Asks for a file; undefined when cancelled. Electron gives a path, a browser the file itself. */
  readonly chooseModel: () => Promise<ChosenFile | undefined>;
  /** A GGUF file or, in Electron, a Hugging Face style folder. */
  readonly chooseLanguageModel: () => Promise<ChosenFile | undefined>;
  readonly chooseImage: () => Promise<ChosenFile | undefined>;
  /** Path of a folder on the engine's machine; undefined when cancelled. A browser can't say where a folder is. */
  readonly chooseFolder?: () => Promise<string | undefined>;
  readonly dropped: (file: File) => ChosenFile;
  /** Sends a file to the engine's machine. @returns its path there. @throws SluiceError `io` */
  readonly upload: (
    file: File,
    onProgress: (sentBytes: number) => void,
    signal: AbortSignal,
  ) => Promise<string>;
  /** @returns where it was saved, or undefined when the user cancelled. */
  readonly saveText: (suggestedName: string, text: string, what: SavedText) => Promise<string | undefined>;
  /** Prints a report's HTML to a PDF file; a browser prints by itself. @returns as `saveText`. */
  readonly savePdf?: (suggestedName: string, html: string) => Promise<string | undefined>;
  readonly keychain: Keychain;
}

/** The operating system's store of secrets, where there is one. Nothing can be read back from here. */
export interface Keychain {
  readonly state: () => Promise<KeychainState>;
  /** @throws SluiceError `unsupported` without a keychain: nothing is kept then. */
  readonly keep: (endpointId: string, token: string) => Promise<void>;
  /** Does nothing when nothing is kept. */
  readonly forget: (endpointId: string) => Promise<void>;
}

/** A file on the engine's machine, or bytes of the browser's. */
export type ChosenFile =
  | { readonly kind: 'path'; readonly name: string; readonly path: string }
  | { readonly kind: 'file'; readonly name: string; readonly file: File };

function fileName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}

function fromPath(path: string | undefined): ChosenFile | undefined {
  return path === undefined ? undefined : { kind: 'path', name: fileName(path), path };
}

/** A model's folder is chosen by the config.json in it. */
function modelPath(path: string | undefined): string | undefined {
  return path?.replace(/[/\\]config\.json$/, '');
}

async function unwrap<T>(reply: Promise<Reply<T>>): Promise<T> {
  const settled = await reply;
  if (settled.ok) return settled.value;
  throw SluiceError.fromWire(settled.error);
}

/** Electron before 32 keeps the path on the file itself, on this side of the bridge only. */
function pathOf(bridge: ShellBridge, file: File): string | undefined {
  const path = bridge.pathOfFile(file) || (file as File & { readonly path?: unknown }).path;
  return typeof path === 'string' && path !== '' ? path : undefined;
}

/** Electron: dialogs of the main process, real paths. */
export function createElectronServices(bridge: ShellBridge): HostServices {
  return {
    kind: 'electron',
    chooseModel: async () => fromPath((await unwrap(bridge.request['dialog.openModel']({}))).path),
    chooseLanguageModel: async () =>
      fromPath(modelPath((await unwrap(bridge.request['dialog.openLanguageModel']({}))).path)),
    chooseImage: async () => fromPath((await unwrap(bridge.request['dialog.openImage']({}))).path),
    chooseFolder: async () => (await unwrap(bridge.request['dialog.openFolder']({}))).path,
    dropped: (file) => fromPath(pathOf(bridge, file)) ?? { kind: 'file', name: file.name, file },
    upload: () =>
      Promise.reject(new SluiceError('unsupported', 'Only files on disk can be imported; save it first.')),
    saveText: async (suggestedName, text, what) =>
      (await unwrap(bridge.request['dialog.saveText']({ suggestedName, text, what }))).path,
    savePdf: async (suggestedName, html) =>
      (await unwrap(bridge.request['report.savePdf']({ suggestedName, html }))).path,
    keychain: {
      state: () => unwrap(bridge.request['secrets.state']({})),
      keep: async (endpointId, token) => {
        await unwrap(bridge.request['secrets.keep']({ endpointId, token }));
      },
      forget: async (endpointId) => {
        await unwrap(bridge.request['secrets.forget']({ endpointId }));
      },
    },
  };
}

function pickInBrowser(accept: string): Promise<ChosenFile | undefined> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = accept;
    input.addEventListener('cancel', () => resolve(undefined));
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      resolve(file === undefined ? undefined : { kind: 'file', name: file.name, file });
    });
    input.click();
  });
}

function uploadFile(
  file: File,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    // fetch reports no upload progress; XMLHttpRequest does.
    const request = new XMLHttpRequest();
    const fail = (why: string): void =>
      reject(
        new SluiceError('io', `Upload of ${file.name} failed: ${why}. Check the connection and try again.`),
      );
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onerror = () => fail('the connection broke');
    request.onabort = () => reject(new SluiceError('cancelled', `Upload of ${file.name} was cancelled.`));
    request.onload = () => {
      const path = (request.response as { readonly path?: unknown } | null)?.path;
      if (request.status === 200 && typeof path === 'string') resolve(path);
      else fail(`the host answered ${request.status} ${request.statusText}`);
    };
    signal.addEventListener('abort', () => request.abort());
    request.open('POST', `/upload?name=${encodeURIComponent(file.name)}`);
    request.responseType = 'json';
    request.send(file);
  });
}

function downloadText(name: string, text: string): Promise<string | undefined> {
  const url = URL.createObjectURL(
    new Blob([text], { type: name.endsWith('.html') ? 'text/html' : 'application/json' }),
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return Promise.resolve(name);
}

const NO_KEYCHAIN = 'a browser has no keychain';

/** A browser: file inputs, uploads to the host, downloads. */
export function createBrowserServices(): HostServices {
  return {
    kind: 'browser',
    chooseModel: () => pickInBrowser('.onnx'),
    chooseLanguageModel: () => pickInBrowser('.gguf'),
    chooseImage: () => pickInBrowser('image/png,image/jpeg,image/webp,.json'),
    dropped: (file) => ({ kind: 'file', name: file.name, file }),
    upload: uploadFile,
    saveText: downloadText,
    keychain: {
      state: () => Promise.resolve({ available: false, reason: NO_KEYCHAIN }),
      keep: () =>
        Promise.reject(
          new SluiceError('unsupported', `The token can't be kept: ${NO_KEYCHAIN}. Use the desktop console.`),
        ),
      forget: () => Promise.resolve(),
    },
  };
}
