import type { ReactNode } from 'react';

import type { EndpointTest } from '../../../core/contract';
import { formatMs } from '../../format';
import type { TestState } from '../../stores';
import { strings } from '../../strings';
import { FailureNote, ProgressBar } from '../../ui';
import styles from './endpoint-inspector.module.css';

const STRINGS = strings.endpoints;

const WORDS = STRINGS.inspector;

function Steps({ test }: { readonly test: EndpointTest }): ReactNode {
  const failed = test.steps.find(({ ok }) => !ok);
  const verdict =
    failed === undefined ? WORDS.testPassed : WORDS.testStopped(WORDS.steps[failed.step].toLowerCase());
  return (
    <div data-testid="endpoint-test" data-ok={test.ok}>
      <p role="status" className={styles['verdict']} data-ok={test.ok}>
        {verdict}
      </p>
      <ol className={styles['steps']}>
        {test.steps.map(({ step, ok, ms, text }) => (
          <li key={step} className={styles['step']} data-ok={ok}>
            <span aria-hidden="true">{ok ? '✓' : '✕'}</span>
            <span>{WORDS.steps[step]}</span>
            <span>{text}</span>
            <span>{formatMs(ms)}</span>
          </li>
        ))}
      </ol>
      {test.error !== undefined && <FailureNote title={verdict} error={test.error} />}
    </div>
  );
}

/** The last test: its steps with their times, or why there are none. */
export function EndpointTestView({ test }: { readonly test: TestState }): ReactNode {
  if (test.state === 'running') return <ProgressBar label={WORDS.testing} fraction={undefined} />;
  if (test.state === 'failed') return <FailureNote title={WORDS.testFailed} error={test.error} />;
  return <Steps test={test.test} />;
}
