import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { EndpointRecord } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, TextField } from '../../ui';
import { forgetToken, setToken } from './endpoint-actions';
import styles from './endpoint-inspector.module.css';

const STRINGS = strings.endpoints;

const WORDS = STRINGS.inspector;

/** Sets, replaces or forgets the token. It can't be read back, and leaves the page as it is sent. */
export function TokenForm({ endpoint }: { readonly endpoint: EndpointRecord }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const [token, setTyped] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const secret = token.trim();
    if (secret === '' || !live) return;
    setTyped('');
    void setToken(session, endpoint, secret);
  };
  return (
    <section className={styles['section']} aria-label={WORDS.tokenTitle}>
      <p data-testid="token-state" data-state={endpoint.token}>
        {WORDS.tokenSentences[endpoint.token]}
      </p>
      <form className={styles['token']} onSubmit={submit}>
        <TextField label={WORDS.tokenField} type="password" value={token} onChange={setTyped} />
        <Button type="submit" disabled={!live || token.trim() === ''}>
          {endpoint.token === 'none' ? WORDS.setToken : WORDS.replaceToken}
        </Button>
      </form>
      {endpoint.token !== 'none' && (
        <div className={styles['buttons']}>
          <Button
            title={WORDS.forgetHint}
            disabled={!live}
            onClick={() => void forgetToken(session, endpoint)}
          >
            {WORDS.forgetToken}
          </Button>
        </div>
      )}
    </section>
  );
}
