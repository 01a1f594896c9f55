import type { ReactNode } from 'react';

import styles from './swatch.module.css';

/** The colour of a kind of span, beside its name. */
export function Swatch({ kind }: { readonly kind: string }): ReactNode {
  return <i className={styles['swatch']} data-kind={kind} />;
}
