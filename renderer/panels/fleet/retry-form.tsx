import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { FleetBox } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, TextField } from '../../ui';
import styles from './box-inspector.module.css';
import { fingerprintIn, isFingerprint } from './box-text';
import { retryBox } from './fleet-actions';

const { fleet } = strings;

const WORDS = fleet.retry;

/** The certificate a box showed, to be compared by eye before it is trusted. */
function Certificate({ box, found }: { readonly box: FleetBox; readonly found: string }): ReactNode {
  const { home } = useSession();
  return (
    <div className={styles['certificate']}>
      <strong>{WORDS.certificateTitle}</strong>
      <p>{WORDS.certificate}</p>
      <code data-testid="box-fingerprint">{found}</code>
      <Button onClick={() => void retryBox(home, { box: box.id, certificateFingerprint: found })}>
        {WORDS.trust}
      </Button>
    </div>
  );
}

/** Reaches a box again, with what it may have been refused for. */
export function RetryForm({ box }: { readonly box: FleetBox }): ReactNode {
  const { home } = useSession();
  const live = useStore(home.engine, (state) => state.status.state === 'ok');
  const [token, setToken] = useState('');
  const [fingerprint, setFingerprint] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const isTls = box.url.startsWith('https:');
  const found = box.state === 'refused' ? fingerprintIn(box.reason) : undefined;
  const isBad = fingerprint.trim() !== '' && !isFingerprint(fingerprint);
  const retry = async (): Promise<void> => {
    const secret = token.trim();
    const trusted = fingerprint.trim();
    setIsBusy(true);
    setToken('');
    const isTried = await retryBox(home, {
      box: box.id,
      ...(secret === '' ? {} : { token: secret }),
      ...(trusted === '' ? {} : { certificateFingerprint: trusted }),
    });
    setIsBusy(false);
    if (isTried) setFingerprint('');
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (live && !isBad && !isBusy) void retry();
  };
  return (
    <section className={styles['section']}>
      <h3>{WORDS.title}</h3>
      {found !== undefined && <Certificate box={box} found={found} />}
      <form className={styles['retry']} aria-label={WORDS.title} onSubmit={submit}>
        <TextField label={WORDS.token} type="password" value={token} onChange={setToken} />
        {isTls && (
          <TextField
            label={WORDS.fingerprint}
            value={fingerprint}
            mono
            placeholder={WORDS.fingerprintPlaceholder}
            fault={isBad ? WORDS.badFingerprint : undefined}
            onChange={setFingerprint}
          />
        )}
        <Button type="submit" disabled={!live || isBad || isBusy}>
          {WORDS.submit}
        </Button>
      </form>
    </section>
  );
}
