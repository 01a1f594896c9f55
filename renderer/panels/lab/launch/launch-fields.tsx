import { useState } from 'react';
import type { ReactNode } from 'react';

import { SluiceError } from '../../../../core/contract';
import type { LabDataset } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, SelectField, TextField } from '../../../ui';
import { TextArea } from '../shelf';
import { useLabRequest } from '../use-lab-request';
import type { LaunchDraft, LaunchFaults, LaunchField } from './launch-draft';
import styles from './launch.module.css';

const STRINGS = strings.lab.launch;

export interface LaunchFieldsProps {
  readonly draft: LaunchDraft;
  readonly faults: LaunchFaults;
  readonly disabled: boolean;
  readonly onChange: (field: LaunchField, value: string) => void;
}

function FolderField({ draft, faults, disabled, onChange }: LaunchFieldsProps): ReactNode {
  const { host } = useSession();
  const [fault, setFault] = useState<string>();
  const { chooseFolder } = host;
  const choose = (open: () => Promise<string | undefined>): void => {
    setFault(undefined);
    open().then(
      (folder) => {
        if (folder !== undefined) onChange('folder', folder);
      },
      (thrown: unknown) => setFault(`${STRINGS.chooseFailed}: ${SluiceError.from(thrown).message}`),
    );
  };
  return (
    <div className={styles['folder']}>
      <TextField
        label={STRINGS.folder}
        hint={STRINGS.folderHint}
        value={draft.folder}
        mono
        placeholder={STRINGS.folderPlaceholder}
        disabled={disabled}
        fault={faults.folder ?? fault}
        onChange={(value) => onChange('folder', value)}
      />
      {chooseFolder !== undefined && (
        <Button disabled={disabled} onClick={() => choose(chooseFolder)}>
          {STRINGS.choose}
        </Button>
      )}
    </div>
  );
}

function datasetChoices(datasets: readonly LabDataset[], chosen: string) {
  const all = datasets.flatMap(({ name, versions }) => versions.map(({ number }) => `${name}@${number}`));
  // One that is gone, or that was named without its version, stays what it is until another is chosen.
  const known = chosen === '' || all.includes(chosen) ? all : [chosen, ...all];
  return [{ value: '', label: STRINGS.noDataset }, ...known.map((name) => ({ value: name, label: name }))];
}

/** The folder, the program in it, its arguments and its data. */
export function ProgramFields(props: LaunchFieldsProps): ReactNode {
  const { draft, faults, disabled, onChange } = props;
  const { value: datasets, error } = useLabRequest('lab.datasets', {}, 'datasets');
  return (
    <>
      <FolderField {...props} />
      <div className={styles['pair']}>
        <TextField
          label={STRINGS.entry}
          value={draft.entry}
          mono
          placeholder={STRINGS.entryPlaceholder}
          disabled={disabled}
          fault={faults.entry}
          onChange={(value) => onChange('entry', value)}
        />
        <div className={styles['field']}>
          <SelectField
            label={STRINGS.dataset}
            hint={
              datasets === undefined && error === undefined ? STRINGS.datasetsLoading : STRINGS.datasetHint
            }
            value={draft.dataset}
            options={datasetChoices(datasets ?? [], draft.dataset)}
            disabled={disabled}
            onChange={(value) => onChange('dataset', value)}
          />
          {(faults.dataset ?? error?.message) !== undefined && (
            <p className={styles['fault']}>{faults.dataset ?? error?.message}</p>
          )}
        </div>
      </div>
      <TextField
        label={STRINGS.args}
        hint={STRINGS.argsHint}
        value={draft.args}
        mono
        placeholder={STRINGS.argsPlaceholder}
        disabled={disabled}
        fault={faults.args}
        onChange={(value) => onChange('args', value)}
      />
    </>
  );
}

/** Fields of one line, in the order of the form. */
const SMALL = ['cpus', 'gpus', 'memory', 'priority', 'limit'] as const;
const HINTS: Partial<Record<LaunchField, string>> = {
  priority: STRINGS.priorityHint,
  limit: STRINGS.limitHint,
};

interface EngineFieldProps {
  readonly value: string;
  /** What the empty choice means; absent: there is none. */
  readonly unsaid?: string;
  readonly fault?: string | undefined;
  readonly disabled: boolean;
  readonly onChange: (engine: string) => void;
}

/** Choice among the job engines whose nodes the lab knows, and the one that is chosen. */
export function EngineField({ value, unsaid, fault, disabled, onChange }: EngineFieldProps): ReactNode {
  const { value: queue } = useLabRequest('lab.queue', {}, 'queue');
  const names = new Set([...(queue?.nodes ?? []).map(({ engine }) => engine), value]);
  const engines = [...names].filter((name) => name !== '').sort();
  return (
    <div className={styles['field']}>
      <SelectField
        label={STRINGS.engine}
        hint={STRINGS.engineHint}
        value={value}
        options={[
          ...(unsaid === undefined ? [] : [{ value: '', label: unsaid }]),
          ...engines.map((engine) => ({ value: engine, label: engine })),
        ]}
        disabled={disabled}
        onChange={onChange}
      />
      {fault !== undefined && <p className={styles['fault']}>{fault}</p>}
    </div>
  );
}

/** What it may use, where and for how long. */
export function ResourceFields({ draft, faults, disabled, onChange }: LaunchFieldsProps): ReactNode {
  return (
    <>
      <div className={styles['small']}>
        <EngineField
          value={draft.engine}
          unsaid={STRINGS.defaultEngine}
          fault={faults.engine}
          disabled={disabled}
          onChange={(value) => onChange('engine', value)}
        />
        {SMALL.map((field) => (
          <TextField
            key={field}
            label={STRINGS[field]}
            value={draft[field]}
            placeholder={STRINGS[`${field}Placeholder`]}
            disabled={disabled}
            fault={faults[field]}
            {...(HINTS[field] === undefined ? {} : { hint: HINTS[field] })}
            {...(field === 'limit' ? { suffix: STRINGS.limitUnit } : {})}
            onChange={(value) => onChange(field, value)}
          />
        ))}
      </div>
      <EnvironmentField draft={draft} faults={faults} disabled={disabled} onChange={onChange} />
    </>
  );
}

function EnvironmentField({ draft, faults, disabled, onChange }: LaunchFieldsProps): ReactNode {
  return (
    <TextArea
      label={STRINGS.environment}
      value={draft.environment}
      rows={2}
      mono
      placeholder={STRINGS.environmentPlaceholder}
      disabled={disabled}
      fault={faults.environment}
      onChange={(value) => onChange('environment', value)}
    />
  );
}
