import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { EndpointRecord, LabDeployment } from '../../../../core/contract';
import { useSession } from '../../../session';
import { Button, SelectField, TextField } from '../../../ui';
import { FaultNote, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import styles from './models.module.css';
import { STRINGS } from './strings';

const WORDS = STRINGS.publish;

interface PublishFormProps {
  readonly model: string;
  readonly version: number;
  readonly deployments: readonly LabDeployment[];
  readonly onDone: () => void;
}

function shareOf(text: string): number | undefined {
  const share = Number(text.trim().replace(/%$/, ''));
  return text.trim() !== '' && Number.isInteger(share) && share >= 1 && share <= 100 ? share : undefined;
}

function Fields(props: PublishFormProps & { readonly endpoints: readonly EndpointRecord[] }): ReactNode {
  const { model, version, deployments, endpoints, onDone } = props;
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const [chosen, setChosen] = useState('');
  const [shareText, setShareText] = useState('10');
  const endpoint = endpoints.find(({ id }) => id === chosen) ?? endpoints[0];
  const present = deployments.find((one) => one.endpointId === endpoint?.id && one.model === model);
  // A canary stands beside something.
  const share = present === undefined ? 100 : shareOf(shareText);
  const isThere = present?.stable.version === version;
  const outcome =
    present === undefined
      ? WORDS.isFirst
      : isThere
        ? WORDS.isThere
        : share === undefined
          ? ''
          : WORDS.beside(present.stable.version, share);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!live || action.isBusy || endpoint === undefined || share === undefined || isThere) return;
    void action.attempt(WORDS.failed(model, version), async () => {
      await client.request('lab.publish', { model, version, endpointId: endpoint.id, sharePct: share });
      onDone();
    });
  };
  return (
    <form className={styles['publish']} aria-label={WORDS.title} noValidate onSubmit={submit}>
      <div className={styles['publishFields']}>
        <SelectField
          label={WORDS.endpoint}
          value={endpoint?.id ?? ''}
          options={endpoints.map(({ id, name, tier }) => ({ value: id, label: `${name}, ${tier}` }))}
          onChange={setChosen}
        />
        <TextField
          label={WORDS.share}
          hint={WORDS.shareHint}
          value={present === undefined ? '100' : shareText}
          suffix={WORDS.shareUnit}
          disabled={present === undefined}
          fault={share === undefined ? WORDS.badShare : undefined}
          onChange={setShareText}
        />
        <Button type="submit" disabled={!live || action.isBusy || share === undefined || isThere}>
          {action.isBusy ? WORDS.sending : WORDS.send}
        </Button>
      </div>
      <p className={shelf['muted']}>{outcome}</p>
      <FaultNote action={action} />
    </form>
  );
}

/** Gives a version to an endpoint, at once or beside the one that is there. */
export function PublishForm(props: PublishFormProps): ReactNode {
  const { endpoints, layout } = useSession();
  const known = useStore(endpoints, (state) => state.endpoints) ?? [];
  if (known.length > 0) return <Fields {...props} endpoints={known} />;
  return (
    <div className={shelf['buttons']}>
      <span className={shelf['muted']}>{WORDS.noEndpoint}</span>
      <Button onClick={() => layout.getState().actions.setPanel('endpoints')}>{WORDS.openEndpoints}</Button>
    </div>
  );
}
