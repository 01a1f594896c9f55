import { SluiceError } from '../../../core/contract';
import type { DeploymentSettings, NewVariant, OffloadState, Pin, SavedText } from '../../../core/contract';
import { uniqueId } from '../../session';
import type { Session } from '../../session';
import { strings } from '../../strings';

const STRINGS = strings.decisions;

const FAULTS = STRINGS.faults;

/** Asks for one change; what comes back is the deployment, a refusal is kept under what was not done. */
async function change(session: Session, title: string, ask: () => Promise<OffloadState>): Promise<boolean> {
  const { setDeployment, setFault } = session.offload.getState().actions;
  setFault(undefined);
  try {
    setDeployment(await ask());
    return true;
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    if (error.code !== 'cancelled') setFault({ title, error: error.toWire() });
    return false;
  }
}

export async function startDeployment(session: Session): Promise<void> {
  await change(session, FAULTS.start, () => session.client.request('offload.start', {}));
}

export async function stopDeployment(session: Session): Promise<void> {
  await change(session, FAULTS.stop, () => session.client.request('offload.stop', {}));
}

export async function configure(session: Session, part: Partial<DeploymentSettings>): Promise<void> {
  await change(session, FAULTS.configure, () => session.client.request('offload.configure', part));
}

/** Pins a user to a choice; to the one already pinned, takes the pin off. */
export async function togglePin(session: Session, pin: Pin): Promise<void> {
  const pins = session.offload.getState().deployment?.pins ?? [];
  const pinned = pins.some(
    ({ user, tier, variant }) => user === pin.user && tier === pin.tier && variant === pin.variant,
  );
  if (pinned) {
    await change(session, FAULTS.unpin, () => session.client.request('offload.unpin', { user: pin.user }));
  } else await change(session, FAULTS.pin, () => session.client.request('offload.pin', pin));
}

export async function pauseLearning(session: Session, paused: boolean): Promise<void> {
  await change(session, FAULTS.pause, () => session.client.request('offload.pauseLearning', { paused }));
}

export async function resetLearning(session: Session): Promise<void> {
  await change(session, FAULTS.reset, () => session.client.request('offload.reset', {}));
}

export async function restoreLearning(session: Session): Promise<void> {
  await change(session, FAULTS.restore, () => session.client.request('offload.restore', {}));
}

/** @returns whether the engine took it: then the form can be cleared. */
export async function addVariant(session: Session, variant: NewVariant): Promise<boolean> {
  return change(session, FAULTS.addVariant(variant.model), () =>
    session.client.request('offload.addVariant', variant),
  );
}

export async function removeVariant(session: Session, id: string): Promise<void> {
  await change(session, FAULTS.removeVariant(id), () =>
    session.client.request('offload.removeVariant', { id }),
  );
}

/** Builds and imports the example networks; their job is followed by its id. */
export async function installExample(session: Session): Promise<void> {
  const jobId = uniqueId();
  const { setInstallJob } = session.offload.getState().actions;
  setInstallJob(jobId);
  await change(session, FAULTS.install, () => session.client.request('offload.installExample', { jobId }));
  setInstallJob(undefined);
  session.jobs.getState().actions.dismiss(jobId);
}

export async function cancelInstall(session: Session): Promise<void> {
  const jobId = session.offload.getState().installJobId;
  if (jobId === undefined) return;
  try {
    await session.client.request('jobs.cancel', { jobId });
  } catch (thrown) {
    const error = SluiceError.from(thrown).toWire();
    session.offload.getState().actions.setFault({ title: FAULTS.install, error });
  }
}

/** Saves the decisions, or what the agent learned, where the user says. */
export async function exportText(
  session: Session,
  what: Extract<SavedText, 'decisions' | 'checkpoint'>,
): Promise<void> {
  const { setSaved, setFault } = session.offload.getState().actions;
  setSaved(undefined);
  setFault(undefined);
  try {
    const { name, text } = await session.client.request('offload.export', { what });
    setSaved(await session.host.saveText(name, text, what));
  } catch (thrown) {
    setFault({ title: FAULTS.export, error: SluiceError.from(thrown).toWire() });
  }
}
