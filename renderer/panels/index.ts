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

export type { Command, CommandGroup, DropRule, PanelDefinition } from './panel';

/** The console's panels in the rail's order. A panel is one folder here, its import above and one line below. */
export const PANELS: readonly [PanelDefinition, ...PanelDefinition[]] = [
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

/** The one of that name, or the first where a layout remembers one that is no more. */
export function panelOf(id: string): PanelDefinition {
  return PANELS.find((panel) => panel.id === id) ?? PANELS[0];
}
