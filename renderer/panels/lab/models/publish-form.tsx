import { useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import type { EndpointRecord, LabDeployment, LabPublish } from '../../../../core/contract';
import { useSession } from '../../../session';
import { strings } from '../../../strings';
import { Button, SelectField, TextField } from '../../../ui';
import { FaultNote, useLabAction } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import styles from './models.module.css';

const STRINGS = strings.lab.models;

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

/** What the offload agent has to know of it; undefined: it need not know it. `fault`: that can't be. */
function variantOf(
  accuracyText: string,
  source: string,
): { readonly variant?: LabPublish['variant']; readonly fault: boolean } {
  const text = accuracyText.trim().replace(/%$/, '').replace(',', '.');
  if (text === '') return { fault: false };
  const accuracyPct = Number(text);
  if (!(accuracyPct >= 0 && accuracyPct <= 100)) return { fault: true };
  return { variant: { accuracyPct, source: source.trim() }, fault: false };
}

function Fields(props: PublishFormProps & { readonly endpoints: readonly EndpointRecord[] }): ReactNode {
  const { model, version, deployments, endpoints, onDone } = props;
  const { client, engine } = useSession();
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const action = useLabAction();
  const [chosen, setChosen] = useState('');
  const [shareText, setShareText] = useState('10');
  const [accuracyText, setAccuracyText] = useState('');
  const [source, setSource] = useState('');
  const { variant, fault: isNoAccuracy } = variantOf(accuracyText, source);
  const isUntold = variant?.source === '';
  const endpoint = endpoints.find(({ id }) => id === chosen) ?? endpoints[0];
  const present = deployments.find((one) => one.endpointId === endpoint?.id && one.model === model);
  // A canary stands beside something.
  const share = present === undefined ? 100 : shareOf(shareText);
  const isThere = present?.stable.version === version;
  // Published once more with an accuracy, it becomes a variant.
  const canSend = share !== undefined && !isNoAccuracy && !isUntold && (!isThere || variant !== undefined);
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
    if (!live || action.isBusy || endpoint === undefined || share === undefined || !canSend) return;
    void action.attempt(WORDS.failed(model, version), async () => {
      await client.request('lab.publish', {
        model,
        version,
        endpointId: endpoint.id,
        sharePct: share,
        ...(variant && { variant }),
      });
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
        <TextField
          label={WORDS.accuracy}
          hint={WORDS.accuracyHint}
          value={accuracyText}
          suffix={WORDS.shareUnit}
          placeholder={WORDS.noVariant}
          fault={isNoAccuracy ? WORDS.badAccuracy : undefined}
          onChange={setAccuracyText}
        />
        {variant !== undefined && (
          <TextField
            label={WORDS.source}
            hint={WORDS.sourceHint}
            value={source}
            fault={isUntold ? WORDS.noSource : undefined}
            onChange={setSource}
          />
        )}
        <Button type="submit" disabled={!live || action.isBusy || !canSend}>
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
