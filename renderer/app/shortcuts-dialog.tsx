import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';

import { strings } from '../strings';
import { Button, CloseIcon } from '../ui';
import { Overlay } from './overlay';
import styles from './shortcuts-dialog.module.css';

const WORDS = strings.palette.keys;
const { say, names } = WORDS;

type Keys = readonly (readonly [keys: readonly string[], what: string])[];

const GROUPS: readonly { readonly title: string; readonly keys: Keys }[] = [
  {
    title: WORDS.everywhere,
    keys: [
      [[strings.app.paletteKeys.other, strings.app.paletteKeys.mac], say.palette],
      [['1', '…', '9'], say.panels],
      [['F1'], say.help],
      [[`${names.shift} ?`], say.shortcuts],
      [[names.escape], say.close],
    ],
  },
  { title: WORDS.run, keys: [[['←', '→'], say.budget]] },
  {
    title: WORDS.timeline,
    keys: [
      [['←', '→', '↑', '↓'], say.pan],
      [['N'], say.wait],
      [[',', '.'], say.span],
      [['F'], say.fit],
    ],
  },
  {
    title: WORDS.tables,
    keys: [
      [['↑', '↓'], say.rows],
      [[names.enter], say.open],
      ...strings.lab.runs.keys.slice(3).map(([key, what]) => [[key], what] as const),
    ],
  },
  {
    title: WORDS.plots,
    keys: [
      [['←', '→'], say.along],
      [['+', '−'], say.zoom],
      [['0'], say.whole],
    ],
  },
  {
    title: WORDS.tour,
    keys: [
      [['→', '←'], say.next],
      [[names.escape], strings.tour.leave],
    ],
  },
];

interface ShortcutsDialogProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}

/** All keys at a glance, under Shift-?. */
export function ShortcutsDialog({ open, onOpenChange }: ShortcutsDialogProps): ReactNode {
  return (
    <Overlay open={open} onOpenChange={onOpenChange} className={styles['popup']} testId="shortcuts">
      <header className={styles['head']}>
        <Dialog.Title>{WORDS.title}</Dialog.Title>
        <Button variant="ghost" aria-label={WORDS.close} onClick={() => onOpenChange(false)}>
          <CloseIcon />
        </Button>
      </header>
      <div className={styles['groups']}>
        {GROUPS.map(({ title, keys }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([caps, what]) => (
                <div key={what}>
                  <dt>
                    {caps.map((cap) => (
                      <kbd key={cap}>{cap}</kbd>
                    ))}
                  </dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Overlay>
  );
}
