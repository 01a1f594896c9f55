import { SluiceError } from '../../core/contract';
import { strings } from '../strings';
import type { EngineClient } from './engine-client';
import type { ChosenFile, HostServices, SendProgress } from './host-services';

const { fleet } = strings;

const WORDS = fleet.services;

/** A path of this machine means nothing on the box: the file has to be sent there. */
function asLocal(chosen: ChosenFile | undefined): ChosenFile | undefined {
  return chosen?.kind === 'path' ? { ...chosen, kind: 'local' } : chosen;
}

async function sendFile(
  client: EngineClient,
  what: { readonly jobId: string; readonly box: string; readonly path: string },
  onProgress: SendProgress,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const stopFollowing = client.on('job', (job) => {
    if (job.id === what.jobId) onProgress(job.doneBytes, job.totalBytes);
  });
  const cancel = (): void => {
    // Its end is told by the request below.
    client.request('jobs.cancel', { jobId: what.jobId }).catch(() => undefined);
  };
  signal.addEventListener('abort', cancel);
  try {
    return (await client.request('fleet.sendFile', what)).path;
  } finally {
    stopFollowing();
    signal.removeEventListener('abort', cancel);
  }
}

/**
 * What this machine can do for a session whose engine is another box's: files chosen here are sent there, text is saved
 * here, folders of the box can't be chosen.
 */
export function createBoxServices(
  local: HostServices,
  client: EngineClient,
  box: string,
  newId: () => string,
): HostServices {
  const sendLocal = (path: string, onProgress: SendProgress, signal: AbortSignal): Promise<string> =>
    sendFile(client, { jobId: newId(), box, path }, onProgress, signal);
  return {
    kind: 'box',
    chooseModel: async () => asLocal(await local.chooseModel()),
    chooseLanguageModel: async () => asLocal(await local.chooseLanguageModel()),
    chooseImage: async () => asLocal(await local.chooseImage()),
    dropped: (file) => asLocal(local.dropped(file)) ?? { kind: 'file', name: file.name, file },
    // From a browser it goes to this machine first: half the way.
    upload: async (file, onProgress, signal) => {
      const path = await local.upload(file, (sentBytes) => onProgress(sentBytes / 2), signal);
      return sendLocal(path, (sentBytes) => onProgress((file.size + sentBytes) / 2), signal);
    },
    sendLocal,
    saveText: local.saveText,
    keychain: {
      state: () => Promise.resolve({ available: false, reason: WORDS.noKeychain }),
      keep: () => Promise.reject(new SluiceError('unsupported', WORDS.tokenNotKept)),
      forget: () => Promise.resolve(),
    },
  };
}
