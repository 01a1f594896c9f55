import type { EngineStatus, Reply } from './contract';

/** What a saved text is: it names the dialog and gives its file filter. */
export const SAVED_TEXTS = ['trace', 'decisions', 'checkpoint', 'report'] as const;
export type SavedText = (typeof SAVED_TEXTS)[number];

export interface FileChoice {
  /** Absolute path, or absent when the user cancelled. */
  readonly path?: string;
}

/**
 * Every request of the renderer to Electron's main process: the shell only. Everything about models goes to the
 * engine over its own port. Inputs are checked with zod in main/.
 */
export interface ShellRequests {
  /** Where main and renderer stand: shown in the title bar and in error reports. */
  'shell.info': { input: Record<string, never>; output: ShellInfo };
  'engine.status': { input: Record<string, never>; output: EngineStatus };
  /** Asks main for a port to the engine; it arrives as the `engine-port` window message. */
  'engine.connect': { input: Record<string, never>; output: Record<string, never> };
  /** Starts the engine again after it was given up on. */
  'engine.restart': { input: Record<string, never>; output: Record<string, never> };
  'dialog.openModel': { input: Record<string, never>; output: FileChoice };
  /** A GGUF file, or the config.json of a Hugging Face style folder: dialogs offer files or folders, not both. */
  'dialog.openLanguageModel': { input: Record<string, never>; output: FileChoice };
  'dialog.openImage': { input: Record<string, never>; output: FileChoice };
  'dialog.openFolder': { input: Record<string, never>; output: FileChoice };
  /** Writes text to a file the user chooses. `path` is absent when the user cancelled. */
  'dialog.saveText': {
    input: { readonly suggestedName: string; readonly text: string; readonly what: SavedText };
    output: FileChoice;
  };
  /** Prints a report's HTML to a PDF file the user chooses. `path` is absent when the user cancelled. */
  'report.savePdf': {
    input: { readonly suggestedName: string; readonly html: string };
    output: FileChoice;
  };
  'secrets.state': { input: Record<string, never>; output: KeychainState };
  /**
   * Keeps an endpoint's token, encrypted by the operating system's keychain; replaces an earlier one. Each engine that
   * starts is given what is kept. @throws `unsupported` where there is no keychain: nothing is written then.
   */
  'secrets.keep': {
    input: { readonly endpointId: string; readonly token: string };
    output: Record<string, never>;
  };
  'secrets.forget': { input: { readonly endpointId: string }; output: Record<string, never> };
  /** Models that were opened with Sluice (command line, double click) since it was asked last; each is given once. */
  'files.takeOpened': { input: Record<string, never>; output: OpenedFiles };
  'updates.state': { input: Record<string, never>; output: UpdateState };
  /** Asks the server for a newer version. The state tells what comes of it. Does nothing while updates are off or busy. */
  'updates.check': { input: Record<string, never>; output: UpdateState };
  /** Downloads the version that is `available`. */
  'updates.download': { input: Record<string, never>; output: UpdateState };
  /** Ends Sluice and installs the version that is `ready`. */
  'updates.install': { input: Record<string, never>; output: UpdateState };
}

export interface OpenedFiles {
  /** Absolute, of files that are there. */
  readonly paths: readonly string[];
  /** Why others are not among them, a sentence each. */
  readonly refused: readonly string[];
}

/** Where the application's own update stands. Nothing is asked of any server in `off`. */
export type UpdateState =
  | { readonly state: 'off'; readonly reason: string }
  | { readonly state: 'idle' }
  | { readonly state: 'checking' }
  /** This version is the newest one. */
  | { readonly state: 'current'; readonly version: string }
  | { readonly state: 'available'; readonly version: string }
  | { readonly state: 'downloading'; readonly version: string; readonly percent: number }
  /** Downloaded, and its checksum is right. */
  | { readonly state: 'ready'; readonly version: string }
  | { readonly state: 'failed'; readonly message: string };

/** Whether secrets can be kept, and if not, why. */
export interface KeychainState {
  readonly available: boolean;
  readonly reason?: string;
}

export interface ShellInfo {
  readonly version: string;
  readonly electron: string;
  readonly platform: string;
}

export type ShellRequestName = keyof ShellRequests;

/** All request names, for preload's functions and main's handlers. */
export const SHELL_REQUESTS = [
  'shell.info',
  'engine.status',
  'engine.connect',
  'engine.restart',
  'dialog.openModel',
  'dialog.openLanguageModel',
  'dialog.openImage',
  'dialog.openFolder',
  'dialog.saveText',
  'report.savePdf',
  'secrets.state',
  'secrets.keep',
  'secrets.forget',
  'files.takeOpened',
  'updates.state',
  'updates.check',
  'updates.download',
  'updates.install',
] as const satisfies readonly ShellRequestName[];

/** The channel on which main tells the renderer how the engine process is. */
export const ENGINE_STATUS_CHANNEL = 'engine-status';
/** The channel (and then the window message's `type`) that carries a fresh port to the engine. */
export const ENGINE_PORT_CHANNEL = 'engine-port';

/** The channel on which main tells that `files.takeOpened` has some. */
export const FILES_OPENED_CHANNEL = 'files-opened';
/** The channel on which main tells each later `UpdateState`. */
export const UPDATE_STATE_CHANNEL = 'update-state';

/** `window.sluice`, made by preload. Functions resolve to a `Reply` also when main refuses. */
export interface ShellBridge {
  readonly request: {
    readonly [N in ShellRequestName]: (
      input: ShellRequests[N]['input'],
    ) => Promise<Reply<ShellRequests[N]['output']>>;
  };
  /** Calls back with every later status (`engine.status` gives the present one). Returns the way to stop. */
  readonly onEngineStatus: (listener: (status: EngineStatus) => void) => () => void;
  readonly onFilesOpened: (listener: () => void) => () => void;
  readonly onUpdateState: (listener: (state: UpdateState) => void) => () => void;
  /** The absolute path of a dropped file; empty when it has none (it was not a file on disk). */
  readonly pathOfFile: (file: unknown) => string;
}
