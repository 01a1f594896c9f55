import type { ReactNode } from 'react';

export function RunsView(): ReactNode {
  return null;
}
