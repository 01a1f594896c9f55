import { SluiceError } from '../../core/contract';
import type {
  KeychainState,
  OpenedFiles,
  Reply,
  SavedText,
  ShellBridge,
  UpdateState,
} from '../../core/contract';
import { strings } from '../strings';

/** What the place we run in can do beside the engine: Electron has dialogs and paths, a browser uploads and downloads. */
export interface HostServices {
  /** `box`: the engine is another box's, the files are this machine's. */
  readonly kind: 'electron' | 'browser' | 'box';
  /** Asks for a file; undefined when cancelled. Electron gives a path, a browser the file itself. */
  readonly chooseModel: () => Promise<ChosenFile | undefined>;
  /** A GGUF file or, in Electron, a Hugging Face style folder. */
  readonly chooseLanguageModel: () => Promise<ChosenFile | undefined>;
  readonly chooseImage: () => Promise<ChosenFile | undefined>;
  /** Path of a folder on the engine's machine; undefined when cancelled. A browser can't say where a folder is. */
  readonly chooseFolder?: () => Promise<string | undefined>;
  readonly dropped: (file: File) => ChosenFile;
  /** Sends a file to the engine's machine. @returns its path there. @throws SluiceError `io` */
  readonly upload: (file: File, onProgress: SendProgress, signal: AbortSignal) => Promise<string>;
  /** @returns where it was saved, or undefined when the user cancelled. */
  /** Sends a file of this machine to the box in view; there when the engine is another box's. @returns its path there. */
  readonly sendLocal?: (path: string, onProgress: SendProgress, signal: AbortSignal) => Promise<string>;
  readonly saveText: (suggestedName: string, text: string, what: SavedText) => Promise<string | undefined>;
  /** Prints a report's HTML to a PDF file; a browser prints by itself. @returns as `saveText`. */
  readonly savePdf?: (suggestedName: string, html: string) => Promise<string | undefined>;
  readonly keychain: Keychain;
  /** Ends the session with the host and shows its login page. In a browser only. */
  readonly logOut?: () => Promise<void>;
  /** Models that the system opens with Sluice. A browser opens none. */
  readonly opened?: OpenedByUser;
  /** Of the application itself. A browser has none to update. */
  readonly updates?: ApplicationUpdates;
}

export interface OpenedByUser {
  readonly take: () => Promise<OpenedFiles>;
  readonly onOpened: (listener: () => void) => () => void;
}

/** What is done comes as states to the listener. */
export interface ApplicationUpdates {
  readonly check: () => Promise<UpdateState>;
  readonly download: () => Promise<UpdateState>;
  readonly install: () => Promise<UpdateState>;
  readonly onState: (listener: (state: UpdateState) => void) => () => void;
}

/** The operating system's store of secrets, where there is one. Nothing can be read back from here. */
export interface Keychain {
  readonly state: () => Promise<KeychainState>;
  /** @throws SluiceError `unsupported` without a keychain: nothing is kept then. */
  readonly keep: (endpointId: string, token: string) => Promise<void>;
  /** Does nothing when nothing is kept. */
  readonly forget: (endpointId: string) => Promise<void>;
}

/** `totalBytes`: where only the sender knows it. */
export type SendProgress = (sentBytes: number, totalBytes?: number) => void;

/** A file on the engine's machine, bytes of the browser's, or a file of this machine while the engine is elsewhere. */
export type ChosenFile =
  | { readonly kind: 'path'; readonly name: string; readonly path: string }
  | { readonly kind: 'file'; readonly name: string; readonly file: File }
  | { readonly kind: 'local'; readonly name: string; readonly path: string };

function fileName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}

/** A file on the engine's machine. */
export function fileAt(path: string): ChosenFile {
  return { kind: 'path', name: fileName(path), path };
}

function fromPath(path: string | undefined): ChosenFile | undefined {
  return path === undefined ? undefined : fileAt(path);
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
    opened: {
      take: () => unwrap(bridge.request['files.takeOpened']({})),
      onOpened: bridge.onFilesOpened,
    },
    updates: {
      check: () => unwrap(bridge.request['updates.check']({})),
      download: () => unwrap(bridge.request['updates.download']({})),
      install: () => unwrap(bridge.request['updates.install']({})),
      onState: bridge.onUpdateState,
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

function uploadFile(file: File, onProgress: SendProgress, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    // fetch reports no upload progress; XMLHttpRequest does.
    const request = new XMLHttpRequest();
    const fail = (why: string): void =>
      reject(new SluiceError('io', strings.connection.uploadFailed(file.name, why)));
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onerror = () => fail(strings.connection.broke);
    request.onabort = () =>
      reject(new SluiceError('cancelled', strings.connection.uploadCancelled(file.name)));
    request.onload = () => {
      const path = (request.response as { readonly path?: unknown } | null)?.path;
      if (request.status === 200 && typeof path === 'string') resolve(path);
      else fail(strings.connection.answered(request.status, request.statusText));
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

async function logOut(): Promise<void> {
  const answer = await fetch('/logout', { method: 'POST' }).catch(() => undefined);
  // Whoever has no session gets the login page there. A host that does not answer is told of by the banner already.
  if (answer !== undefined) window.location.assign('/');
}

const NO_KEYCHAIN = strings.connection.noKeychain;

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
    logOut,
    keychain: {
      state: () => Promise.resolve({ available: false, reason: NO_KEYCHAIN }),
      keep: () => Promise.reject(new SluiceError('unsupported', strings.connection.notKept(NO_KEYCHAIN))),
      forget: () => Promise.resolve(),
    },
  };
}
