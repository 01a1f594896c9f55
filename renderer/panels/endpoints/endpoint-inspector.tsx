import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { EndpointRecord } from '../../../core/contract';
import { formatBytes, formatClock, NO_FIGURE } from '../../format';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { Button, FactList, FailureNote, Inspector } from '../../ui';
import { removeEndpoint, testEndpoint } from './endpoint-actions';
import styles from './endpoint-inspector.module.css';
import { EndpointTestView } from './endpoint-test-view';
import { TokenForm } from './token-form';

const STRINGS = strings.endpoints;

const WORDS = STRINGS.inspector;

function Facts({ endpoint }: { readonly endpoint: EndpointRecord }): ReactNode {
  const { health, url } = endpoint;
  const facts = [
    [WORDS.url, <code key="url">{url}</code>],
    [WORDS.server, health.server ?? NO_FIGURE],
    [WORDS.checked, health.checkedAt === undefined ? STRINGS.states.unknown : formatClock(health.checkedAt)],
    [WORDS.breaker, WORDS.breakers[health.breaker]],
    [WORDS.memory, formatBytes(health.availableBytes ?? Number.NaN), 'endpoints.memory'],
    [WORDS.offers, health.offers.length === 0 ? NO_FIGURE : health.offers.join(', ')],
  ] as const;
  return <FactList facts={facts} className={styles['facts']} />;
}

/** One endpoint: what it is, a test of it, its token, its removal. */
export function EndpointInspector({ endpoint }: { readonly endpoint: EndpointRecord }): ReactNode {
  const session = useSession();
  const live = useStore(session.engine, (state) => state.status.state === 'ok');
  const test = useStore(session.endpoints, (state) => state.tests[endpoint.id]);
  const { select } = session.endpoints.getState().actions;
  const { id, name, url, health } = endpoint;
  return (
    <Inspector
      title={name}
      closeLabel={WORDS.close}
      testId="endpoint-inspector"
      onClose={() => select(undefined)}
    >
      <div className={styles['buttons']}>
        <Button
          title={WORDS.testHint}
          disabled={!live || test?.state === 'running'}
          onClick={() => void testEndpoint(session, id)}
        >
          {test?.state === 'running' ? WORDS.testing : WORDS.test}
        </Button>
        <Button
          title={WORDS.removeHint(name, url)}
          disabled={!live}
          onClick={() => void removeEndpoint(session, endpoint)}
        >
          {WORDS.remove}
        </Button>
      </div>
      {test !== undefined && <EndpointTestView test={test} />}
      {health.error !== undefined && <FailureNote title={WORDS.notReady} error={health.error} />}
      <Facts endpoint={endpoint} />
      <TokenForm endpoint={endpoint} />
    </Inspector>
  );
}
