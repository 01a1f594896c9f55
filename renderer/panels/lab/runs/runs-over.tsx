import type { ReactNode } from 'react';

import { useSession } from '../../../session';
import type { LabOver } from '../../../stores';
import { LaunchForm } from '../launch';

/** What lies over the table. */
export function RunsOver({ over }: { readonly over: LabOver }): ReactNode {
  const { lab } = useSession();
  const { open, updateRun } = lab.getState().actions;
  switch (over.kind) {
    case 'launch':
      return (
        <LaunchForm
          onCancel={() => open(undefined)}
          onDone={(run) => {
            updateRun(run);
            open({ kind: 'run', runId: run.runId });
          }}
        />
      );
    case 'compare':
    case 'run':
      return null;
  }
}
