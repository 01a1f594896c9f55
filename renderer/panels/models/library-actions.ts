import { SluiceError } from '../../../core/contract';
import { pathOnEngine, uniqueId } from '../../session';
import type { Session } from '../../session';
import type { ImportAttempt } from '../../stores';
import { strings } from '../../strings';
import type { ChosenFile } from '../../transport';

const STRINGS = strings.models;

/** Runs one attempt to its end: gone when it worked or was cancelled, else kept with its error. */
async function attempt(session: Session, begun: ImportAttempt, work: () => Promise<unknown>): Promise<void> {
  const { begin, change, end } = session.library.getState().actions;
  begin(begun);
  try {
    await work();
    end(begun.id);
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    session.jobs.getState().actions.dismiss(begun.id);
    if (error.code === 'cancelled') end(begun.id);
    else change(begun.id, { phase: 'failed', error: error.toWire() });
  }
}

/** Imports a file; in a browser it is uploaded first. Progress and failure appear in the library store. */
export async function importFile(session: Session, source: ChosenFile, replace = false): Promise<void> {
  const id = uniqueId();
  const sends = source.kind !== 'path';
  const begun: ImportAttempt = {
    id,
    source,
    title: source.name,
    phase: sends ? 'uploading' : 'importing',
    sentBytes: 0,
    totalBytes: source.kind === 'file' ? source.file.size : 0,
  };
  await attempt(session, begun, async () => {
    const { change } = session.library.getState().actions;
    const path = await pathOnEngine(session, id, source, (sentBytes, totalBytes) =>
      change(id, { sentBytes, ...(totalBytes === undefined ? {} : { totalBytes }) }),
    );
    change(id, { phase: 'importing' });
    const model = await session.client.request('models.import', {
      jobId: id,
      path,
      ...(replace ? { replace } : {}),
    });
    session.library.getState().actions.select(model.name);
  });
}

/** Imports the shipped text-reading networks and chooses them in Run. */
export async function importExample(session: Session): Promise<void> {
  const id = uniqueId();
  const title = STRINGS.importExample;
  await attempt(session, { id, title, phase: 'importing', sentBytes: 0, totalBytes: 0 }, async () => {
    const model = await session.client.request('models.importExample', { jobId: id });
    session.layout.getState().actions.setModel(model.name);
  });
}

/** Asks for a file, then imports it. A dialog that fails is an attempt that failed. */
export async function chooseAndImport(session: Session): Promise<void> {
  try {
    const source = await session.host.chooseModel();
    if (source !== undefined) await importFile(session, source);
  } catch (thrown) {
    const error = SluiceError.from(thrown).toWire();
    const failed = {
      id: uniqueId(),
      title: STRINGS.import,
      phase: 'failed',
      sentBytes: 0,
      totalBytes: 0,
      error,
    } as const;
    session.library.getState().actions.begin(failed);
  }
}

/** Reads every layer of the model's store and compares checksums. */
export async function verifyModel(session: Session, name: string): Promise<void> {
  const { setVerification } = session.library.getState().actions;
  const jobId = uniqueId();
  setVerification(name, { state: 'running', jobId });
  try {
    const report = await session.client.request('models.verify', { jobId, name });
    setVerification(name, { state: 'done', report });
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    setVerification(
      name,
      error.code === 'cancelled' ? undefined : { state: 'failed', error: error.toWire() },
    );
  } finally {
    session.jobs.getState().actions.dismiss(jobId);
  }
}

/** Removes the model; it can be put back for a while. The list follows by the engine's `models` event. */
export async function removeModel(session: Session, name: string): Promise<void> {
  const { actions, selected } = session.library.getState();
  actions.beginRemove(name);
  try {
    await session.client.request('models.remove', { name });
    actions.endRemove(name);
    actions.setVerification(name, undefined);
    if (selected === name) actions.select(undefined);
  } catch (thrown) {
    actions.endRemove(name, SluiceError.from(thrown).toWire());
  }
}

/** Puts a removed model back and shows it. */
export async function restoreModel(session: Session, name: string): Promise<void> {
  const { actions } = session.library.getState();
  try {
    await session.client.request('models.restore', { name });
    actions.endRestore(name);
    actions.select(name);
  } catch (thrown) {
    actions.endRestore(name, SluiceError.from(thrown).toWire());
  }
}

/** Frees the disk space of the removed model; it can't be put back any more. */
export async function discardRemoved(session: Session, name: string): Promise<void> {
  const { actions } = session.library.getState();
  try {
    await session.client.request('models.discardRemoved', {});
    actions.endRestore(name);
  } catch (thrown) {
    actions.endRestore(name, SluiceError.from(thrown).toWire());
  }
}
