import type { ReactNode } from 'react';

interface FactListProps {
  /** What it is, and how it stands. */
  readonly facts: readonly (readonly [label: string, value: ReactNode])[];
  readonly className: string | undefined;
}

/** Named facts; how they are laid out is the panel's. */
export function FactList({ facts, className }: FactListProps): ReactNode {
  return (
    <dl className={className}>
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
