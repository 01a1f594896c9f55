import { decisionsHelp } from './decisions';
import { deviceHelp } from './device';
import { endpointsHelp } from './endpoints';
import { fleetHelp } from './fleet';
import { frameHelp } from './frame';
import { labHelp } from './lab';
import { languageHelp } from './language';
import { modelsHelp } from './models';
import { runHelp } from './run';
import { timelineHelp } from './timeline';

/**
 * What each figure is: `what` with its unit, `how` it is measured, and what to `do` when it is bad. A test finds
 * figures without a text and texts without a figure.
 */
export const help = {
  ...runHelp,
  ...frameHelp,
  ...timelineHelp,
  ...decisionsHelp,
  ...languageHelp,
  ...modelsHelp,
  ...endpointsHelp,
  ...labHelp,
  ...deviceHelp,
  ...fleetHelp,
} as const;
