import { useState } from 'react';

import { SluiceError } from '../../../../core/contract';
import type { WireError } from '../../../../core/contract';

export interface LabAction {
  readonly isBusy: boolean;
  readonly fault?: { readonly title: string; readonly error: WireError } | undefined;
  readonly dismiss: () => void;
  /** Tries one thing; a failure is kept, under what was not done. @returns whether it worked. */
  readonly attempt: (title: string, work: () => Promise<unknown>) => Promise<boolean>;
}

/** One thing at a time that a view asks for. Work that was cancelled is no fault. */
export function useLabAction(): LabAction {
  const [isBusy, setIsBusy] = useState(false);
  const [fault, setFault] = useState<LabAction['fault']>();
  const attempt = async (title: string, work: () => Promise<unknown>): Promise<boolean> => {
    setIsBusy(true);
    setFault(undefined);
    try {
      await work();
      return true;
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (error.code !== 'cancelled') setFault({ title, error: error.toWire() });
      return false;
    } finally {
      setIsBusy(false);
    }
  };
  return { isBusy, fault, dismiss: () => setFault(undefined), attempt };
}
