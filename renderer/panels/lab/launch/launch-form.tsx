import { useEffect, useRef, useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../../core/contract';
import type { LabLaunch, LabRunRow, WireError } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, FailureNote } from '../../../ui';
import { faultLines } from '../shelf';
import { ProgramFields, ResourceFields } from './launch-fields';
import styles from './launch.module.css';
import { useLaunchDraft } from './use-launch-draft';

const STRINGS = strings.lab.launch;

export interface LaunchFormProps {
  /** Values to begin with. */
  readonly start?: Partial<LabLaunch>;
  readonly onDone: (run: LabRunRow) => void;
  readonly onCancel: () => void;
}

/** Launches a run. What the lab refuses stands at its field. */
export function LaunchForm({ start = {}, onDone, onCancel }: LaunchFormProps): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const fields = useLaunchDraft(start);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<WireError>();
  const [refusals, setRefusals] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  // The first field with a fault is where to go on.
  useEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusals]);
  const launch = async (request: LabLaunch): Promise<void> => {
    setIsBusy(true);
    setError(undefined);
    try {
      onDone(await client.request('lab.launch', request));
    } catch (thrown) {
      const wire = SluiceError.from(thrown).toWire();
      setIsBusy(false);
      const shown = fields.refuse(wire);
      setError(shown > 0 && shown === faultLines(wire).length ? undefined : wire);
      setRefusals((count) => count + 1);
    }
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!live || isBusy) return;
    const request = fields.read();
    if (request !== undefined) void launch(request);
    else setRefusals((count) => count + 1);
  };
  const shared = { draft: fields.draft, faults: fields.faults, disabled: isBusy, onChange: fields.change };
  return (
    <form
      ref={form}
      className={styles['form']}
      aria-label={STRINGS.title}
      data-testid="launch-form"
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !isBusy) onCancel();
      }}
    >
      <header>
        <h2>{STRINGS.title}</h2>
        <p>{STRINGS.teach}</p>
      </header>
      <fieldset>
        <legend>{STRINGS.program}</legend>
        <ProgramFields {...shared} />
      </fieldset>
      <fieldset>
        <legend>{STRINGS.resources}</legend>
        <ResourceFields {...shared} />
      </fieldset>
      {error !== undefined && (
        <FailureNote title={STRINGS.failed} error={error} onDismiss={() => setError(undefined)} />
      )}
      <footer>
        <Button type="submit" variant="primary" disabled={!live || isBusy}>
          {isBusy ? STRINGS.launching : STRINGS.launch}
        </Button>
        <Button disabled={isBusy} onClick={onCancel}>
          {STRINGS.cancel}
        </Button>
      </footer>
    </form>
  );
}
