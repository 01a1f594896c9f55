import { useState } from 'react';

import type { LabLaunch, WireError } from '../../../../core/contract';
import { draftOf, faultsFrom, launchOf } from './launch-draft';
import type { LaunchDraft, LaunchFaults, LaunchField } from './launch-draft';

export interface LaunchDraftState {
  readonly draft: LaunchDraft;
  readonly faults: LaunchFaults;
  /** A field that is changed has no fault until it is looked at again. */
  readonly change: (field: LaunchField, value: string) => void;
  /** The request; undefined, with its faults shown, where the fields give none. */
  readonly read: () => LabLaunch | undefined;
  /** Shows those of the lab's faults that are about a field. @returns how many there were. */
  readonly refuse: (error: WireError) => number;
}

export function useLaunchDraft(start: Partial<LabLaunch>): LaunchDraftState {
  const [draft, setDraft] = useState(() => draftOf(start));
  const [faults, setFaults] = useState<LaunchFaults>({});
  return {
    draft,
    faults,
    change: (field, value) => {
      setDraft((old) => ({ ...old, [field]: value }));
      setFaults(({ [field]: _gone, ...others }) => others);
    },
    read: () => {
      const read = launchOf(draft);
      setFaults('faults' in read ? read.faults : {});
      return 'launch' in read ? read.launch : undefined;
    },
    refuse: (error) => {
      const found = faultsFrom(error);
      setFaults(found.faults);
      return found.count;
    },
  };
}
