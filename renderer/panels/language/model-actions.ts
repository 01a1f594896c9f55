import { SluiceError } from '../../../core/contract';
import { pathOnEngine, uniqueId } from '../../session';
import type { Session } from '../../session';
import type { ModelAddition, ModelOrigin } from '../../stores';
import { strings } from '../../strings';
import type { ChosenFile } from '../../transport';

const STRINGS = strings.language;

function titleOf(origin: ModelOrigin): string {
  if (origin.kind === 'file') return origin.source.name;
  return origin.file === undefined ? origin.repository : `${origin.repository}/${origin.file}`;
}

async function work(session: Session, { id, origin }: ModelAddition): Promise<void> {
  const { changeAddition } = session.language.getState().actions;
  if (origin.kind === 'hub') {
    const { repository, file } = origin;
    await session.client.request('language.pull', {
      jobId: id,
      repository,
      ...(file === undefined ? {} : { file }),
    });
    return;
  }
  const path = await pathOnEngine(session, id, origin.source, (sentBytes, totalBytes) =>
    changeAddition(id, { sentBytes, ...(totalBytes === undefined ? {} : { totalBytes }) }),
  );
  changeAddition(id, { phase: 'working' });
  await session.client.request('language.import', { jobId: id, path });
}

/** Brings a language model into the library. Its progress, and its failure, are an addition of the store. */
export async function addModel(session: Session, origin: ModelOrigin): Promise<void> {
  const { beginAddition, changeAddition, endAddition } = session.language.getState().actions;
  const sends = origin.kind === 'file' && origin.source.kind !== 'path';
  const addition: ModelAddition = {
    id: uniqueId(),
    origin,
    title: titleOf(origin),
    phase: sends ? 'uploading' : 'working',
    sentBytes: 0,
    totalBytes: origin.kind === 'file' && origin.source.kind === 'file' ? origin.source.file.size : 0,
  };
  beginAddition(addition);
  try {
    await work(session, addition);
    endAddition(addition.id);
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    session.jobs.getState().actions.dismiss(addition.id);
    if (error.code === 'cancelled') endAddition(addition.id);
    else changeAddition(addition.id, { phase: 'failed', error: error.toWire() });
  }
}

/** Tries a failed addition again; what a download has got already is not fetched again. */
export async function addAgain(session: Session, { id, origin }: ModelAddition): Promise<void> {
  session.language.getState().actions.endAddition(id);
  await addModel(session, origin);
}

export async function importLanguageModel(session: Session, source: ChosenFile): Promise<void> {
  await addModel(session, { kind: 'file', source });
}

/** Asks for a file or folder, then imports it. */
export async function chooseAndImport(session: Session): Promise<void> {
  const { setFault } = session.language.getState().actions;
  setFault('models', undefined);
  try {
    const source = await session.host.chooseLanguageModel();
    if (source !== undefined) await importLanguageModel(session, source);
  } catch (thrown) {
    setFault('models', { title: STRINGS.faults.choose, error: SluiceError.from(thrown).toWire() });
  }
}

/** Reads every weight of the model and compares checksums. */
export async function verifyLanguageModel(session: Session, name: string): Promise<void> {
  const { setVerification } = session.language.getState().actions;
  const jobId = uniqueId();
  setVerification(name, { state: 'running', jobId });
  try {
    const report = await session.client.request('language.verify', { jobId, name });
    setVerification(name, { state: 'done', report });
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    const failed = { state: 'failed', error: error.toWire() } as const;
    setVerification(name, error.code === 'cancelled' ? undefined : failed);
  } finally {
    session.jobs.getState().actions.dismiss(jobId);
  }
}

/** Removes the model for good. Its conversations stay readable. */
export async function removeLanguageModel(session: Session, name: string): Promise<void> {
  const { setFault, setVerification } = session.language.getState().actions;
  setFault('models', undefined);
  try {
    await session.client.request('language.remove', { name });
    setVerification(name, undefined);
  } catch (thrown) {
    setFault('models', { title: STRINGS.faults.remove(name), error: SluiceError.from(thrown).toWire() });
  }
}
