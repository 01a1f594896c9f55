import type { ReactNode } from 'react';

import type { TokenOrigin } from '../../../core/contract';
import { formatCount } from '../../format';
import type { ReplyText } from '../../stores';
import { strings } from '../../strings';
import styles from './origin-legend.module.css';
import text from './reply-text.module.css';

const STRINGS = strings.language;

const WORDS = STRINGS.chat;
const DRAFTED: readonly TokenOrigin[] = ['accepted', 'corrected', 'bonus'];
const DECODED: readonly TokenOrigin[] = ['full', 'lossy'];

/** Says what the underlines mean, with how many tokens of the shown reply have each origin. */
export function OriginLegend({ tokens }: { readonly tokens: ReplyText['tokens'] | undefined }): ReactNode {
  return (
    <ul className={styles['legend']} aria-label={WORDS.legend} data-testid="origin-legend">
      {[...DRAFTED, ...DECODED].map((origin) => {
        const { label, hint } = STRINGS.origins[origin];
        const count = tokens?.[origin] ?? 0;
        return (
          <li key={origin} title={hint} data-origin-count={origin} data-count={count}>
            <span className={text['text']}>
              <span data-origin={origin}>{label}</span>
            </span>
            <span className={styles['count']}>{formatCount(count)}</span>
          </li>
        );
      })}
    </ul>
  );
}
