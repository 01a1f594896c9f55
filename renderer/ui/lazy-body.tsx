import { useEffect, useState } from 'react';
import type { ComponentType, ReactNode } from 'react';

import { SluiceError } from '../../core/contract';
import type { WireError } from '../../core/contract';
import { strings } from '../strings';
import { Button } from './button';
import { FailureNote } from './failure-note';
import styles from './lazy-body.module.css';
import type { LazyView } from './lazy-view';

const WORDS = strings.ui.lazy;

/**
 * A view in its place: at once when it was fetched, else as soon as it is. Give it a key of the view's own.
 * A page that stands while its host is upgraded finds its files gone: loading the page again is the way out.
 */
export function LazyBody({ view }: { readonly view: LazyView }): ReactNode {
  const [Body, setBody] = useState<ComponentType | undefined>(() => view.loaded());
  const [error, setError] = useState<WireError>();
  useEffect(() => {
    if (Body !== undefined) return undefined;
    let isShown = true;
    view.load().then(
      (loaded) => isShown && setBody(() => loaded),
      (thrown: unknown) => isShown && setError(SluiceError.from(thrown).toWire()),
    );
    return () => {
      isShown = false;
    };
  }, [view, Body]);
  if (Body !== undefined) return <Body />;
  if (error === undefined)
    return (
      <p role="status" className={styles['waiting']}>
        {WORDS.waiting}
      </p>
    );
  return (
    <div className={styles['failed']}>
      <FailureNote
        title={WORDS.failed}
        error={error}
        actions={
          <Button variant="primary" onClick={() => window.location.reload()}>
            {WORDS.reload}
          </Button>
        }
      />
    </div>
  );
}
