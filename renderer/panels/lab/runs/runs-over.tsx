import type { ReactNode } from 'react';

import { useSession } from '../../../session';
import type { LabOver } from '../../../stores';
import { CompareView } from '../compare/compare-view';
import { LaunchForm } from '../launch';
import { RunPage } from '../run-page/run-page';

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
    case 'run':
      return (
        <RunPage
          key={over.runId}
          runId={over.runId}
          isForking={over.isForking === true}
          onBack={() => open(undefined)}
        />
      );
    case 'compare':
      return <CompareView onBack={() => open(undefined)} />;
  }
}
