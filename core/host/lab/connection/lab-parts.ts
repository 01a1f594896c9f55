import type { LabPart } from '../../../contract';

export const LAB_PARTS = [
  'runs',
  'queue',
  'datasets',
  'competitions',
  'models',
  'deployments',
  'searches',
] as const satisfies readonly LabPart[];
