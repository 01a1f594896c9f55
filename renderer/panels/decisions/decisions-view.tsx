import { useState } from 'react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';

import type { OffloadState } from '../../../core/contract';
import { useSession } from '../../session';
import { strings } from '../../strings';
import { FailureNote, Segmented } from '../../ui';
import { BeliefsTable } from './beliefs-table';
import { ChoiceMatrix } from './choice-matrix';
import { DecisionFeed } from './decision-feed';
import { DecisionInspector } from './decision-inspector';
import styles from './decisions-view.module.css';
import { DeploymentControls } from './deployment-controls';
import { InstallExample } from './install-example';
import { LearningChart } from './learning-chart';
import lists from './lists.module.css';
import { NodeCards } from './node-cards';
import plots from './plots.module.css';
import { ResponseChart } from './response-chart';
import { SummaryFigures } from './summary-figures';
import { useFresh } from './use-fresh';

const STRINGS = strings.decisions;

const BELIEFS_EVERY_MS = 1000;

type ListName = 'feed' | 'beliefs';

/** What the deployment or the engine refused, where it shows whatever is scrolled. */
function Faults({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const { offload } = useSession();
  const fault = useStore(offload, (state) => state.fault);
  const { setFault } = offload.getState().actions;
  return (
    <>
      {deployment.state === 'failed' && deployment.error !== undefined && (
        <div className={styles['fault']}>
          <FailureNote title={STRINGS.faults.run} error={deployment.error} />
        </div>
      )}
      {fault !== undefined && (
        <div className={styles['fault']}>
          <FailureNote title={fault.title} error={fault.error} onDismiss={() => setFault(undefined)} />
        </div>
      )}
    </>
  );
}

function Deployed({ deployment }: { readonly deployment: OffloadState }): ReactNode {
  const { offload } = useSession();
  const selected = useStore(offload, (state) => state.selected);
  const { value: beliefs, error } = useFresh('offload.beliefs', BELIEFS_EVERY_MS);
  const [list, setList] = useState<ListName>('feed');
  return (
    <>
      <div className={styles['work']}>
        <Faults deployment={deployment} />
        <SummaryFigures deployment={deployment} />
        <NodeCards deployment={deployment} />
        <ChoiceMatrix deployment={deployment} beliefs={beliefs} />
        <div className={plots['plots']}>
          <ResponseChart />
          <LearningChart />
        </div>
        <div className={lists['lists']}>
          <div className={lists['bar']}>
            <Segmented
              label={STRINGS.lists.label}
              value={list}
              options={[
                { value: 'feed', label: STRINGS.lists.feed },
                { value: 'beliefs', label: STRINGS.lists.beliefs },
              ]}
              onChange={setList}
            />
            <p>{list === 'feed' ? STRINGS.feed.title : STRINGS.beliefs.title}</p>
          </div>
          {list === 'feed' ? <DecisionFeed /> : <BeliefsTable beliefs={beliefs} error={error} />}
        </div>
      </div>
      {selected !== undefined && <DecisionInspector key={selected} id={selected} beliefs={beliefs} />}
    </>
  );
}

/** Where each inference runs and which variant answers it: what is decided, what came of it, and what to change. */
export function DecisionsView(): ReactNode {
  const { offload, engine } = useSession();
  const deployment = useStore(offload, (state) => state.deployment);
  const loadError = useStore(offload, (state) => state.loadError);
  const live = useStore(engine, (state) => state.status.state === 'ok');
  if (deployment === undefined) {
    if (loadError !== undefined) return <FailureNote title={STRINGS.loadFailed} error={loadError} />;
    return <p className={styles['loading']}>{live ? STRINGS.loading : STRINGS.waiting}</p>;
  }
  return (
    <div className={styles['root']}>
      <DeploymentControls deployment={deployment} />
      {deployment.variants.length === 0 ? <InstallExample /> : <Deployed deployment={deployment} />}
    </div>
  );
}
