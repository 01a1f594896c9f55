import { useState } from 'react';
import type { ReactNode } from 'react';

import type { LabDeployment, LabModel } from '../../../../core/contract';
import { strings } from '../../../strings';
import { Button, EmptyState } from '../../../ui';
import { useNow } from '../../../ui/use-now';
import { Answered, useChosen } from '../shelf';
import shelf from '../shelf/shelf.module.css';
import { useLabRequest } from '../use-lab-request';
import type { LabAnswer } from '../use-lab-request';
import { DeploymentCard } from './deployment-card';
import { ModelInspector } from './model-inspector';
import styles from './models.module.css';
import { ModelsTable } from './models-table';
import { RegisterForm } from './register-form';

const STRINGS = strings.lab.models;

function Deployments({ answer }: { readonly answer: LabAnswer<readonly LabDeployment[]> }): ReactNode {
  const words = STRINGS.deployments;
  return (
    <section className={styles['deployments']} aria-label={words.title} data-testid="deployments">
      <h2>{words.title}</h2>
      <Answered answer={answer} loading={words.loading} failedTitle={words.failed}>
        {(deployments) =>
          deployments.length === 0 ? (
            <p className={styles['none']}>{words.none}</p>
          ) : (
            <ul>
              {deployments.map((deployment) => (
                <DeploymentCard
                  key={`${deployment.endpointId} ${deployment.servedAs}`}
                  deployment={deployment}
                  onChanged={answer.askAgain}
                />
              ))}
            </ul>
          )
        }
      </Answered>
    </section>
  );
}

function Shelf(props: { readonly models: readonly LabModel[]; readonly onChanged: () => void }): ReactNode {
  const { models, onChanged } = props;
  const deployments = useLabRequest('lab.deployments', {}, 'deployments');
  const [chosen, choose] = useChosen('models');
  const [isRegistering, setIsRegistering] = useState(false);
  const nowMs = useNow();
  const selected = models.find(({ name }) => name === chosen);
  const hasDeployments = (deployments.value?.length ?? 0) > 0;
  const isEmpty = models.length === 0;
  const register = (
    <Button
      variant={isEmpty ? 'primary' : 'plain'}
      disabled={isRegistering}
      onClick={() => setIsRegistering(true)}
    >
      {STRINGS.register}
    </Button>
  );
  return (
    <div className={shelf['split']}>
      <div className={shelf['column']}>
        {(!isEmpty || hasDeployments) && <Deployments answer={deployments} />}
        {!isEmpty && (
          <header className={`${shelf['bar']} ${styles['bar']}`}>
            <h2>{STRINGS.list}</h2>
            <p>{STRINGS.count(models.length)}</p>
            <span className={shelf['end']}>{register}</span>
          </header>
        )}
        {isRegistering && (
          <RegisterForm
            models={models}
            onClose={() => setIsRegistering(false)}
            onDone={({ name }) => {
              setIsRegistering(false);
              choose(name);
              onChanged();
            }}
          />
        )}
        {isEmpty ? (
          <EmptyState title={STRINGS.emptyTitle} action={!isRegistering && register}>
            {STRINGS.empty}
          </EmptyState>
        ) : (
          <ModelsTable models={models} selected={selected?.name} nowMs={nowMs} onSelect={choose} />
        )}
      </div>
      {/* In a narrow window it would lie over the form's fields. */}
      {selected !== undefined && !isRegistering && (
        <ModelInspector
          key={selected.name}
          model={selected}
          deployments={deployments.value ?? []}
          nowMs={nowMs}
          onClose={() => choose(undefined)}
          onChanged={onChanged}
          onPublished={deployments.askAgain}
        />
      )}
    </div>
  );
}

/** Registered models, and what serves of them where. */
export function ModelsView(): ReactNode {
  const answer = useLabRequest('lab.models', {}, 'models');
  return (
    <div className={shelf['shelf']} data-testid="lab-models">
      <Answered answer={answer} loading={STRINGS.loading} failedTitle={STRINGS.failed}>
        {(models) => <Shelf models={models} onChanged={answer.askAgain} />}
      </Answered>
    </div>
  );
}
