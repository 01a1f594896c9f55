import type { ReactNode } from 'react';

import { HelpedLabel } from './help';
import type { HelpId } from './help';

/** What it is, how it stands, and of a figure what it means. */
export type Fact = readonly [label: string, value: ReactNode, help?: HelpId];

interface FactListProps {
  readonly facts: readonly Fact[];
  readonly className: string | undefined;
}

/** Named facts; how they are laid out is the panel's. */
export function FactList({ facts, className }: FactListProps): ReactNode {
  return (
    <dl className={className}>
      {facts.map(([label, value, help]) => (
        <div key={label}>
          <dt>
            <HelpedLabel help={help}>{label}</HelpedLabel>
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
