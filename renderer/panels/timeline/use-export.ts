import { useState } from 'react';

import { SluiceError } from '../../../core/contract';
import type { RunRecord, WireError } from '../../../core/contract';
import { useSession } from '../../session';
import { traceFileName } from './run-label';

export type ExportState =
  | { readonly state: 'idle' }
  | { readonly state: 'busy' }
  | { readonly state: 'saved'; readonly where: string }
  | { readonly state: 'failed'; readonly error: WireError };

/** Saves a run as Chrome trace JSON where the user says. */
export function useExport(): {
  readonly exported: ExportState;
  readonly start: (run: RunRecord) => void;
  readonly dismiss: () => void;
} {
  const { client, host } = useSession();
  const [exported, setExported] = useState<ExportState>({ state: 'idle' });
  const save = async (run: RunRecord): Promise<void> => {
    setExported({ state: 'busy' });
    try {
      const { json } = await client.request('runs.exportTrace', { runId: run.id });
      const where = await host.saveText(traceFileName(run), json, 'trace');
      setExported(where === undefined ? { state: 'idle' } : { state: 'saved', where });
    } catch (thrown) {
      setExported({ state: 'failed', error: SluiceError.from(thrown).toWire() });
    }
  };
  return { exported, start: (run) => void save(run), dismiss: () => setExported({ state: 'idle' }) };
}
