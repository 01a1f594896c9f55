import { useEffect, useRef, useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import { SluiceError } from '../../../../core/contract';
import type { LabSearch, WireError } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, FailureNote, TextField } from '../../../ui';
import { ProgramFields, ResourceFields } from '../launch/launch-fields';
import { useLaunchDraft } from '../launch/use-launch-draft';
import { faultLines, TextArea } from '../shelf';
import { EXAMPLE_SEARCH } from './example-search';
import { searchFaults } from './search-faults';
import type { SearchFault } from './search-faults';
import styles from './searches.module.css';

const STRINGS = strings.lab.searches;

const WORDS = STRINGS.form;

interface NewSearchProps {
  readonly onDone: (search: LabSearch) => void;
  readonly onCancel: () => void;
}

function Faults(props: {
  readonly faults: readonly SearchFault[];
  readonly onGo: (offset: number) => void;
}): ReactNode {
  return (
    <ul className={styles['jsonFaults']} role="alert">
      {props.faults.map(({ offset, line, column, message }) => (
        <li key={`${offset} ${message}`}>
          <button type="button" title={WORDS.placeHint} onClick={() => props.onGo(offset)}>
            {WORDS.place(line, column)}
          </button>
          <span>{message}</span>
        </li>
      ))}
    </ul>
  );
}

/** Starts a search: its space and algorithm as JSON, and what each trial runs. What is wrong stands where it is. */
export function NewSearch({ onDone, onCancel }: NewSearchProps): ReactNode {
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const [name, setName] = useState('');
  const [json, setJson] = useState(EXAMPLE_SEARCH);
  const [faults, setFaults] = useState<readonly SearchFault[]>([]);
  const [error, setError] = useState<WireError>();
  const [isBusy, setIsBusy] = useState(false);
  const [refusals, setRefusals] = useState(0);
  const fields = useLaunchDraft({});
  const form = useRef<HTMLFormElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  useEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusals]);
  const go = (offset: number): void => {
    area.current?.focus();
    area.current?.setSelectionRange(offset, Math.min(json.length, offset + 1));
  };
  const refuse = (thrown: unknown): void => {
    const wire = SluiceError.from(thrown).toWire();
    const ofJson = searchFaults(json, wire);
    const shown = ofJson.length + fields.refuse(wire);
    setFaults(ofJson);
    setError(shown > 0 && shown === faultLines(wire).length ? undefined : wire);
    setRefusals((count) => count + 1);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!live || isBusy) return;
    const ofJson = searchFaults(json);
    const trials = fields.read();
    setFaults(ofJson);
    setError(undefined);
    if (ofJson.length > 0 || trials === undefined) {
      setRefusals((count) => count + 1);
      return;
    }
    setIsBusy(true);
    const named = name.trim() === '' ? {} : { name: name.trim() };
    client
      .request('lab.startSearch', { ...named, search: json, trials })
      .then(onDone, refuse)
      .finally(() => setIsBusy(false));
  };
  const shared = { draft: fields.draft, faults: fields.faults, disabled: isBusy, onChange: fields.change };
  return (
    <form
      ref={form}
      className={styles['form']}
      aria-label={WORDS.title}
      data-testid="new-search"
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !isBusy) onCancel();
      }}
    >
      <header>
        <h2>{WORDS.title}</h2>
        <p>{WORDS.teach}</p>
      </header>
      <div className={styles['formColumns']}>
        <div className={styles['formColumn']}>
          <TextArea
            ref={area}
            label={WORDS.json}
            value={json}
            rows={17}
            mono
            disabled={isBusy}
            fault={faults.length > 0 ? WORDS.faultsBelow(faults.length) : undefined}
            onChange={(value) => {
              setJson(value);
              setFaults([]);
            }}
          />
          {faults.length > 0 && <Faults faults={faults} onGo={go} />}
        </div>
        <div className={styles['formColumn']} role="group" aria-label={WORDS.trials}>
          <TextField
            label={WORDS.name}
            value={name}
            mono
            placeholder={WORDS.namePlaceholder}
            disabled={isBusy}
            onChange={setName}
          />
          <h3>{WORDS.trials}</h3>
          <ProgramFields {...shared} />
          <ResourceFields {...shared} />
        </div>
      </div>
      {error !== undefined && (
        <FailureNote title={WORDS.failed} error={error} onDismiss={() => setError(undefined)} />
      )}
      <footer>
        <Button type="submit" variant="primary" disabled={!live || isBusy}>
          {isBusy ? WORDS.starting : WORDS.start}
        </Button>
        <Button disabled={isBusy} onClick={onCancel}>
          {WORDS.cancel}
        </Button>
      </footer>
    </form>
  );
}
