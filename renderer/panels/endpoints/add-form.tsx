import { useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { RemoteTier } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, FieldLine, SelectField, TextField } from '../../ui';
import { addEndpoint } from './endpoint-actions';
import { isEndpointUrl } from './health';

const STRINGS = strings.endpoints;

const WORDS = STRINGS.add;
const TIERS = Object.entries(STRINGS.tiers).map(([value, label]) => ({ value, label }));

/** Says how long tokens are kept here, and if not for good, why. */
function KeychainNote(): ReactNode {
  const { endpoints, host } = useSession();
  const keychain = useStore(endpoints, (state) => state.keychain);
  if (keychain === undefined) return null;
  const unavailable =
    host.kind === 'browser'
      ? STRINGS.keychain.browser
      : STRINGS.keychain.unavailable(keychain.reason ?? STRINGS.keychain.none);
  return (
    <p data-testid="keychain-note" data-available={keychain.available}>
      {keychain.available ? STRINGS.keychain.available : unavailable}
    </p>
  );
}

const TRACKS = ['minmax(100px, 180px)', '96px', 'minmax(160px, 380px)', 'minmax(100px, 200px)'];

/** The line of fields that adds an endpoint. The token leaves the page as it is sent. */
export function AddForm(): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const [name, setName] = useState('');
  const [tier, setTier] = useState<RemoteTier>('edge');
  const [url, setUrl] = useState('');
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const badUrl = url.trim() !== '' && !isEndpointUrl(url.trim());
  const complete = name.trim() !== '' && url.trim() !== '' && !badUrl;
  const add = async (): Promise<void> => {
    const secret = token.trim();
    setBusy(true);
    setToken('');
    const added = await addEndpoint(session, {
      name: name.trim(),
      tier,
      url: url.trim(),
      ...(secret === '' ? {} : { token: secret }),
    });
    setBusy(false);
    if (!added) return;
    setName('');
    setUrl('');
    form.current?.querySelector('input')?.focus();
  };
  const submit = (): void => {
    if (complete && live && !busy) void add();
  };
  return (
    <FieldLine
      ref={form}
      label={WORDS.form}
      tracks={TRACKS}
      note={<KeychainNote />}
      onSubmit={submit}
      buttons={
        <Button type="submit" variant="primary" disabled={!live || !complete || busy}>
          {WORDS.submit}
        </Button>
      }
    >
      <TextField label={WORDS.name} value={name} placeholder={WORDS.namePlaceholder} onChange={setName} />
      <SelectField
        label={WORDS.tier}
        value={tier}
        options={TIERS}
        hint={WORDS.tierHint}
        onChange={(value) => setTier(value === 'cloud' ? 'cloud' : 'edge')}
      />
      <TextField
        label={WORDS.url}
        value={url}
        mono
        placeholder={WORDS.urlPlaceholder}
        hint={WORDS.urlHint}
        fault={badUrl ? WORDS.badUrl : undefined}
        onChange={setUrl}
      />
      <TextField
        label={WORDS.token}
        type="password"
        value={token}
        placeholder={WORDS.tokenPlaceholder}
        hint={WORDS.tokenHint}
        onChange={setToken}
      />
    </FieldLine>
  );
}
