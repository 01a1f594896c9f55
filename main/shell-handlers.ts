import { writeFile } from 'node:fs/promises';

import { app, dialog } from 'electron';
import type { BrowserWindow, FileFilter, MessagePortMain, OpenDialogOptions } from 'electron';

import { ENGINE_PORT_CHANNEL, SluiceError } from '../core/contract';
import type { FileChoice, SavedText } from '../core/contract';
import { createPortPair } from './engine-process';
import type { EngineSupervisor } from './engine-supervisor';
import type { FileOpener } from './open-files';
import { printReport } from './report-pdf';
import type { SecretKeeper } from './secret-keeper';
import type { ShellHandlers } from './shell-ipc';
import type { Updates } from './updates';

async function choose(window: BrowserWindow, options: OpenDialogOptions): Promise<FileChoice> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, options);
  const path = filePaths[0];
  return canceled || path === undefined ? {} : { path };
}

function chooseFile(window: BrowserWindow, title: string, filters: FileFilter[]): Promise<FileChoice> {
  return choose(window, { title, filters, properties: ['openFile'] });
}

interface SaveDialog {
  readonly what: string;
  readonly filter: FileFilter;
}

const SAVE_DIALOGS: Readonly<Record<SavedText, SaveDialog>> = {
  trace: { what: 'the trace', filter: { name: 'Chrome trace', extensions: ['json'] } },
  decisions: { what: 'the decisions', filter: { name: 'JSON lines', extensions: ['jsonl'] } },
  report: { what: 'the report', filter: { name: 'Web page', extensions: ['html'] } },
  checkpoint: { what: 'the checkpoint', filter: { name: 'Agent checkpoint', extensions: ['json'] } },
};

/** Asks where to, and writes what `content` then gives. */
async function saveFile(
  window: BrowserWindow,
  suggestedName: string,
  { what, filter }: SaveDialog,
  content: () => Promise<string | Uint8Array> | string,
): Promise<FileChoice> {
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    title: `Save ${what}`,
    defaultPath: suggestedName,
    filters: [filter],
  });
  // Electron before 29 leaves it undefined when cancelled, later ones empty.
  if (canceled || !filePath) return {};
  const made = await content();
  try {
    await writeFile(filePath, made);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError(
      'io',
      `Can't save ${what} to ${filePath}: ${reason}. Choose another folder.`,
      {},
      { cause: thrown },
    );
  }
  return { path: filePath };
}

export interface ShellParts {
  readonly supervisor: EngineSupervisor<MessagePortMain>;
  readonly secrets: SecretKeeper;
  readonly opener: FileOpener;
  readonly updates: Updates;
}

const PDF: SaveDialog = { what: 'the report', filter: { name: 'PDF', extensions: ['pdf'] } };

/** The shell's own services for the renderer of `window`. */
export function createShellHandlers(
  window: BrowserWindow,
  { supervisor, secrets, opener, updates }: ShellParts,
): ShellHandlers {
  return {
    'shell.info': () => ({
      version: app.getVersion(),
      electron: process.versions.electron,
      platform: process.platform,
    }),
    'engine.status': () => supervisor.status(),
    'engine.connect': () => {
      const ports = createPortPair();
      if (!supervisor.connect(ports.engine)) {
        throw new SluiceError(
          'engine-down',
          'The engine is not running yet; wait for its status to become ok.',
        );
      }
      window.webContents.postMessage(ENGINE_PORT_CHANNEL, null, [ports.renderer]);
      return {};
    },
    'engine.restart': () => {
      supervisor.restart();
      return {};
    },
    'dialog.openModel': () =>
      chooseFile(window, 'Import a model', [
        { name: 'ONNX models', extensions: ['onnx'] },
        { name: 'All files', extensions: ['*'] },
      ]),
    'dialog.openLanguageModel': () =>
      chooseFile(window, 'Import a language model: a GGUF file, or the config.json of a folder', [
        { name: 'Language models (*.gguf, config.json)', extensions: ['gguf', 'json'] },
        { name: 'All files', extensions: ['*'] },
      ]),
    'dialog.openImage': () =>
      chooseFile(window, 'Choose an input', [
        { name: 'Images and tensors', extensions: ['png', 'jpg', 'jpeg', 'webp', 'json'] },
        { name: 'All files', extensions: ['*'] },
      ]),
    'dialog.openFolder': () =>
      choose(window, { title: 'Choose a folder', properties: ['openDirectory', 'createDirectory'] }),
    'dialog.saveText': ({ suggestedName, text, what }) =>
      saveFile(window, suggestedName, SAVE_DIALOGS[what], () => text),
    'report.savePdf': ({ suggestedName, html }) =>
      saveFile(window, suggestedName, PDF, () => printReport(html)),
    'secrets.state': () => secrets.state(),
    'secrets.keep': ({ endpointId, token }) => {
      secrets.keep(endpointId, token);
      return {};
    },
    'secrets.forget': ({ endpointId }) => {
      secrets.forget(endpointId);
      return {};
    },
    'files.takeOpened': () => opener.take(),
    'updates.state': () => updates.state(),
    'updates.check': () => updates.check(),
    'updates.download': () => updates.download(),
    'updates.install': () => updates.install(),
  };
}
