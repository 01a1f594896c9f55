import { SluiceError } from '../../core/contract';
import type { ChosenFile, HostServices, SendProgress } from '../transport';
import type { Session } from './session-types';

/** Uploads in flight, by the caller's id, so that Cancel can stop them. */
const uploads = new WeakMap<Session, Map<string, AbortController>>();

function uploadsOf(session: Session): Map<string, AbortController> {
  const known = uploads.get(session) ?? new Map<string, AbortController>();
  uploads.set(session, known);
  return known;
}

function send(
  host: HostServices,
  source: Exclude<ChosenFile, { readonly kind: 'path' }>,
  onProgress: SendProgress,
  signal: AbortSignal,
): Promise<string> {
  if (source.kind === 'file') return host.upload(source.file, onProgress, signal);
  if (host.sendLocal !== undefined) return host.sendLocal(source.path, onProgress, signal);
  return Promise.reject(
    new SluiceError('unsupported', `${source.name} is not on the engine's machine; choose it there.`),
  );
}

/** Path of a chosen file on the engine's machine; a file from elsewhere is sent there first. @throws SluiceError */
export async function pathOnEngine(
  session: Session,
  id: string,
  source: ChosenFile,
  onProgress: SendProgress,
): Promise<string> {
  if (source.kind === 'path') return source.path;
  const controller = new AbortController();
  uploadsOf(session).set(id, controller);
  try {
    return await send(session.host, source, onProgress, controller.signal);
  } finally {
    uploadsOf(session).delete(id);
  }
}

/** Stops an upload, or else the job of that id. */
export async function cancelWork(session: Session, id: string): Promise<void> {
  const upload = uploadsOf(session).get(id);
  if (upload !== undefined) {
    upload.abort();
    return;
  }
  await session.client.request('jobs.cancel', { jobId: id });
}
