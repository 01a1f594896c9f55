import { useMemo, useState } from 'react';
import type { ReactNode, SubmitEvent } from 'react';
import { useStore } from 'zustand';

import { formatCount } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button } from '../../ui';
import { pushModel } from './fleet-actions';
import styles from './fleet-view.module.css';

const { fleet } = strings;

const WORDS = fleet.push;

/** Names of the models here that can go elsewhere: networks that are ready, and language models. */
function useOwnModels(): readonly string[] {
  const { home } = useSession();
  const networks = useStore(home.models, (state) => state.models);
  const language = useStore(home.language, (state) => state.models);
  return useMemo(
    () => [
      ...(networks ?? []).filter(({ state }) => state === 'ready').map(({ name }) => name),
      ...(language ?? []).filter(({ state }) => state === 'ready').map(({ name }) => name),
    ],
    [networks, language],
  );
}

/** Sends a model of this machine to the chosen boxes. */
function PushForm({ chosen }: { readonly chosen: ReadonlySet<string> }): ReactNode {
  const { home } = useSession();
  const live = useStore(home.engine, (state) => state.status.state === 'ok');
  const models = useOwnModels();
  const [wanted, setWanted] = useState<string>();
  const model = models.includes(wanted ?? '') ? wanted : models[0];
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (model !== undefined && live) void pushModel(home, model, [...chosen]);
  };
  return (
    <form className={styles['push']} aria-label={WORDS.form} onSubmit={submit}>
      <select
        aria-label={WORDS.model}
        value={model ?? ''}
        disabled={model === undefined}
        onChange={(event) => setWanted(event.currentTarget.value)}
      >
        {model === undefined && <option value="">{WORDS.noModels}</option>}
        {models.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <Button type="submit" variant="primary" disabled={!live || model === undefined}>
        {WORDS.submit(chosen.size)}
      </Button>
    </form>
  );
}

interface FleetFootProps {
  readonly shown: number;
  readonly all: number;
}

/** How much is in view, and what can be done with what is chosen. */
export function FleetFoot({ shown, all }: FleetFootProps): ReactNode {
  const { fleet: store } = useSession();
  const chosen = useStore(store, (state) => state.chosen);
  const words = fleet.foot;
  return (
    <footer className={styles['foot']} data-testid="fleet-foot">
      <span>
        {shown === all ? words.all(formatCount(all)) : words.shown(formatCount(shown), formatCount(all))}
      </span>
      {chosen.size === 0 ? (
        <span>{words.hint}</span>
      ) : (
        <>
          <b>{words.chosen(formatCount(chosen.size))}</b>
          <Button variant="ghost" onClick={() => store.getState().actions.choose(new Set())}>
            {words.clear}
          </Button>
          <span className={styles['space']} />
          <PushForm chosen={chosen} />
        </>
      )}
    </footer>
  );
}
