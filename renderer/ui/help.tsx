import type { ReactNode } from 'react';

import type { strings } from '../strings';
import styles from './help.module.css';

/** Key of a text in the catalogue's `help`. */
export type HelpId = keyof typeof strings.help;

interface HelpProps {
  readonly id: HelpId;
  readonly children: ReactNode;
}

/**
 * A figure's label that tells what the figure is: on hover and focus as a tooltip, on a click, Enter or F1 to
 * stay. The frame's help layer shows it for every element with `data-help`.
 */
export function Help({ id, children }: HelpProps): ReactNode {
  return (
    <dfn className={styles['term']} data-help={id} tabIndex={0}>
      {children}
    </dfn>
  );
}

/** A label that may be a figure's, as heads made from a list are. */
export function HelpedLabel({
  help,
  children,
}: {
  readonly help: HelpId | undefined;
  readonly children: ReactNode;
}): ReactNode {
  return help === undefined ? children : <Help id={help}>{children}</Help>;
}
