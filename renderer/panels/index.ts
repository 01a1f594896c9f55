import { decisionsPanel } from './decisions';
import { devicePanel } from './device';
import { endpointsPanel } from './endpoints';
import { fleetPanel } from './fleet';
import { labPanel } from './lab';
import { languagePanel } from './language';
import { modelsPanel } from './models';
import type { PanelDefinition } from './panel';
import { timelinePanel } from './timeline';
import { runPanel } from './run';

export type { Command, DropRule, PanelDefinition } from './panel';

/** The console's panels in the rail's order. A panel is one folder here, its import above and one line below. */
export const PANELS: readonly PanelDefinition[] = [
  runPanel,
  timelinePanel,
  decisionsPanel,
  languagePanel,
  labPanel,
  endpointsPanel,
  modelsPanel,
  devicePanel,
  fleetPanel,
];
