import { useState } from 'react';
import type { ReactNode } from 'react';

import { SluiceError } from '../../core/contract';
import type { ReportSubject, WireError } from '../../core/contract';
import { useSession } from '../session';
import { strings } from '../strings';
import { Button, FailureNote } from '../ui';
import styles from './save-report.module.css';

const WORDS = strings.report;

type Saving =
  | { readonly state: 'idle' | 'busy' }
  | { readonly state: 'saved'; readonly where: string }
  | { readonly state: 'failed'; readonly error: WireError };

/** Buttons that make a report of what is shown and save it: HTML everywhere, PDF where the shell can print. */
export function SaveReport({ what }: { readonly what: ReportSubject }): ReactNode {
  const { client, host } = useSession();
  const [saving, setSaving] = useState<Saving>({ state: 'idle' });
  const { savePdf } = host;
  const save = async (as: 'html' | 'pdf'): Promise<void> => {
    setSaving({ state: 'busy' });
    try {
      const { name, html } = await client.request('report.make', { what });
      const where =
        as === 'pdf' && savePdf
          ? await savePdf(name.replace(/\.html$/, '.pdf'), html)
          : await host.saveText(name, html, 'report');
      setSaving(where === undefined ? { state: 'idle' } : { state: 'saved', where });
    } catch (thrown) {
      setSaving({ state: 'failed', error: SluiceError.from(thrown).toWire() });
    }
  };
  const isBusy = saving.state === 'busy';
  return (
    <span className={styles['report']}>
      <Button variant="ghost" disabled={isBusy} title={WORDS.saveHint} onClick={() => void save('html')}>
        {WORDS.save}
      </Button>
      {savePdf && (
        <Button variant="ghost" disabled={isBusy} title={WORDS.pdfHint} onClick={() => void save('pdf')}>
          {WORDS.pdf}
        </Button>
      )}
      <span role="status" className={styles['status']} data-testid="report-status">
        {isBusy && WORDS.busy}
        {saving.state === 'saved' && WORDS.saved(saving.where)}
      </span>
      {saving.state === 'failed' && (
        <FailureNote
          title={WORDS.failed}
          error={saving.error}
          actions={
            <Button variant="ghost" onClick={() => void save('html')}>
              {WORDS.save}
            </Button>
          }
        />
      )}
    </span>
  );
}
