import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import { openConversation, useSession } from '../../session';
import { strings } from '../../strings';
import { Button, EmptyState, FailureNote } from '../../ui';
import { AddModel } from './add-model';
import { AdditionList } from './addition-list';
import { Chat } from './chat';
import { ConversationList } from './conversation-list';
import { createConversation, nextModel } from './language-actions';
import { LanguageControls } from './language-controls';
import styles from './language-view.module.css';
import { useSwitch } from './use-switch';

const STRINGS = strings.language;

/** Without a model and without anything to read: what the panel is for, and what fills it. */
function NoModel(): ReactNode {
  return (
    <div className={styles['empty']}>
      <EmptyState title={STRINGS.add.emptyTitle} action={<AddModel look="teach" />}>
        {STRINGS.add.empty}
      </EmptyState>
    </div>
  );
}

function NoConversation(): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const model = useStore(session.language, nextModel);
  const action = (
    <Button
      variant="primary"
      disabled={!live || model === undefined}
      onClick={() => model && void createConversation(session, model)}
    >
      {STRINGS.chat.emptyAction}
    </Button>
  );
  return (
    <EmptyState title={STRINGS.chat.emptyTitle} action={action}>
      {STRINGS.chat.empty}
    </EmptyState>
  );
}

/** The conversation in view, or why there is none yet. */
function InView(): ReactNode {
  const { language } = useSession();
  const open = useStore(language, (state) => state.open);
  const openError = useStore(language, (state) => state.openError);
  const chosen = useStore(language, (state) => state.chosen);
  if (open !== undefined) return <Chat open={open} />;
  if (openError !== undefined) {
    return (
      <div className={styles['fault']}>
        <FailureNote title={STRINGS.faults.open} error={openError} />
      </div>
    );
  }
  if (chosen !== undefined) return <p className={styles['note']}>{STRINGS.chat.opening}</p>;
  return <NoConversation />;
}

/** Talking to a language model whose cache is larger than its memory, and seeing how that is done. */
export function LanguageView(): ReactNode {
  const session = useSession();
  const { language, engine } = session;
  const models = useStore(language, (state) => state.models);
  const conversations = useStore(language, (state) => state.conversations);
  const chosen = useStore(language, (state) => state.chosen);
  const loadError = useStore(language, (state) => state.loadError);
  const live = useStore(engine, (state) => state.status.state === 'ok');
  const hasOpen = useStore(language, (state) => state.open !== undefined);
  const { isOn: hasSide } = useSwitch('language.side', true);
  const latest = conversations?.[0]?.id;
  // What was read or written last is what one comes back to.
  useEffect(() => {
    if (live && chosen === undefined && latest !== undefined) void openConversation(session, latest);
  }, [session, live, chosen, latest]);
  if (models === undefined || conversations === undefined) {
    if (loadError !== undefined) return <FailureNote title={STRINGS.loadFailed} error={loadError} />;
    return <p className={styles['note']}>{live ? STRINGS.loading : STRINGS.waiting}</p>;
  }
  if (models.length === 0 && conversations.length === 0) return <NoModel />;
  return (
    <div className={styles['root']}>
      <ConversationList />
      <div className={styles['work']}>
        <div className={styles['additions']}>
          <AdditionList />
        </div>
        <InView />
      </div>
      {hasOpen && hasSide && <LanguageControls />}
    </div>
  );
}
