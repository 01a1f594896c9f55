import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, FailureNote, SelectField } from '../../ui';
import styles from './conversation-list.module.css';
import { ConversationRow } from './conversation-row';
import { createConversation, nextModel } from './language-actions';

const STRINGS = strings.language;

const WORDS = STRINGS.list;

/** The model of the next conversation, and the button that begins it. */
function NewConversation(): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const models = useStore(session.language, (state) => state.models);
  const model = useStore(session.language, nextModel);
  const { pickModel } = session.language.getState().actions;
  const [busy, setBusy] = useState(false);
  const begin = async (name: string): Promise<void> => {
    setBusy(true);
    await createConversation(session, name);
    setBusy(false);
    document.querySelector<HTMLTextAreaElement>('[data-testid="panel-language"] textarea')?.focus();
  };
  return (
    <div className={styles['new']}>
      <SelectField
        label={WORDS.model}
        value={model ?? ''}
        disabled={model === undefined}
        options={(models ?? []).map(({ name, state }) => ({
          value: name,
          label: name,
          disabled: state !== 'ready',
        }))}
        onChange={pickModel}
      />
      <Button disabled={!live || model === undefined || busy} onClick={() => model && void begin(model)}>
        {WORDS.create}
      </Button>
    </div>
  );
}

/** All conversations, latest first; the one in view; how to begin, rename and delete one. */
export function ConversationList(): ReactNode {
  const { language, layout } = useSession();
  const conversations = useStore(language, (state) => state.conversations);
  const chosen = useStore(language, (state) => state.chosen);
  const fault = useStore(language, (state) => state.faults.list);
  const { setFault } = language.getState().actions;
  const tabStop = conversations?.some(({ id }) => id === chosen) === true ? chosen : conversations?.[0]?.id;
  return (
    <section className={styles['column']} aria-label={WORDS.region}>
      <NewConversation />
      {fault !== undefined && (
        <div className={styles['fault']}>
          <FailureNote
            title={fault.title}
            error={fault.error}
            onDismiss={() => setFault('list', undefined)}
          />
        </div>
      )}
      <ul className={styles['list']} data-testid="conversation-list">
        {conversations?.map((summary) => (
          <ConversationRow
            key={summary.id}
            summary={summary}
            isChosen={summary.id === chosen}
            isTabStop={summary.id === tabStop}
          />
        ))}
      </ul>
      <div className={styles['foot']}>
        <Button
          variant="ghost"
          title={WORDS.manageHint}
          onClick={() => layout.getState().actions.setPanel('models')}
        >
          {WORDS.manage}
        </Button>
      </div>
    </section>
  );
}
