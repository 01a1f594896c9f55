import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { LabModel, LabModelVersion } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, CloseIcon, TextField } from '../../../ui';
import { FaultNote, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import styles from './models.module.css';

const STRINGS = strings.lab.models;

const WORDS = STRINGS.inspector;

interface AliasesProps {
  readonly model: LabModel;
  readonly version: LabModelVersion;
  readonly onChanged: () => void;
}

/** As MLflow has it: a number would be a version. */
function isAlias(text: string): boolean {
  return /^[\w-]+$/.test(text) && !/^v?\d+$/i.test(text);
}

/** The names of one version: given to it, taken from another, or taken away. */
export function Aliases({ model, version, onChanged }: AliasesProps): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const [typed, setTyped] = useState('');
  const alias = typed.trim();
  const isOff = !live || action.isBusy;
  const holder = model.versions.find(
    ({ aliases, version: number }) => number !== version.version && aliases.includes(alias),
  );
  const set = (name: string, to: { readonly version?: number }, title: string): void =>
    void action.attempt(title, async () => {
      await client.request('lab.setAlias', { model: model.name, alias: name, ...to });
      setTyped('');
      onChanged();
    });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!isOff && isAlias(alias)) set(alias, { version: version.version }, WORDS.aliasFailed(alias));
  };
  return (
    <>
      <h3 title={WORDS.aliasHint}>{WORDS.aliases}</h3>
      {version.aliases.length === 0 ? (
        <p className={shelf['muted']}>{WORDS.noAliases}</p>
      ) : (
        <ul className={shelf['chips']}>
          {version.aliases.map((name) => (
            <li key={name} className={`${shelf['chip']} ${styles['alias']}`}>
              {name}
              <button
                type="button"
                aria-label={WORDS.removeAlias(name)}
                title={WORDS.removeAlias(name)}
                disabled={isOff}
                onClick={() => set(name, {}, WORDS.unaliasFailed(name))}
              >
                <CloseIcon />
              </button>
            </li>
          ))}
        </ul>
      )}
      <form className={styles['aliasForm']} noValidate onSubmit={submit}>
        <TextField
          label={WORDS.aliasField}
          value={typed}
          placeholder={WORDS.aliasPlaceholder}
          fault={alias === '' || isAlias(alias) ? undefined : WORDS.badAlias}
          onChange={setTyped}
        />
        <Button type="submit" disabled={isOff || !isAlias(alias)}>
          {holder === undefined ? WORDS.setAlias : WORDS.moveAlias(holder.version)}
        </Button>
      </form>
      <FaultNote action={action} />
    </>
  );
}
