import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, FieldLine, TextField } from '../../ui';
import { isBoxUrl } from './box-text';
import { addBox } from './fleet-actions';

const { fleet } = strings;

const WORDS = fleet.add;

const TRACKS = ['minmax(160px, 400px)', 'minmax(110px, 200px)', 'minmax(110px, 180px)'];

/** The line of fields that adds a box. The token leaves the page as it is sent. */
export function AddBoxForm(): ReactNode {
  const { home } = useSession();
  const live = useStore(home.engine, (state) => state.status.state === 'ok');
  const isKept = useStore(home.endpoints, (state) => state.keychain?.available === true);
  const [url, setUrl] = useState('');
  const [token, setToken] = useState('');
  const [name, setName] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  // It was opened to be written in.
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const isBad = url.trim() !== '' && !isBoxUrl(url.trim());
  const isComplete = url.trim() !== '' && !isBad;
  const close = (): void => home.fleet.getState().actions.setAdding(false);
  const add = async (): Promise<void> => {
    const secret = token.trim();
    const given = name.trim();
    setIsBusy(true);
    setToken('');
    await addBox(home, {
      url: url.trim(),
      ...(secret === '' ? {} : { token: secret }),
      ...(given === '' ? {} : { name: given }),
    });
    setIsBusy(false);
  };
  const submit = (): void => {
    if (isComplete && live && !isBusy) void add();
  };
  return (
    <FieldLine
      ref={form}
      label={WORDS.form}
      tracks={TRACKS}
      note={isKept ? WORDS.kept : WORDS.notKeptHere}
      onSubmit={submit}
      onCancel={close}
      buttons={
        <>
          <Button type="submit" variant="primary" disabled={!live || !isComplete || isBusy}>
            {isBusy ? WORDS.busy : WORDS.submit}
          </Button>
          <Button onClick={close}>{WORDS.cancel}</Button>
        </>
      }
    >
      <TextField
        label={WORDS.url}
        value={url}
        mono
        placeholder={WORDS.urlPlaceholder}
        hint={WORDS.urlHint}
        fault={isBad ? WORDS.badUrl : undefined}
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
      <TextField label={WORDS.name} value={name} placeholder={WORDS.namePlaceholder} onChange={setName} />
    </FieldLine>
  );
}
