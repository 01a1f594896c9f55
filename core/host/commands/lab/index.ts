import type { Command } from 'commander';

import { addLabSearchCommands } from './automl';
import { addLabCompetitionCommands } from './competitions';
import { addLabDatasetCommands } from './datasets';
import { addLabModelCommands } from './models';
import { addLabExampleCommand } from './example';
import { addLabDeploymentCommands } from './deployments';
import { addLabRunCommands } from './runs';
import { addLabServeCommand } from './serve';
import { addLabSyncCommands } from './sync';

/** `sluice lab ...`. */
export function addLabCommands(program: Command): void {
  const lab = program
    .command('lab')
    .description('launch, track and compare runs; keep their data, artifacts and models')
    .option('--lab-dir <dir>', 'where the lab is kept (default: "lab" in the data folder)');
  addLabServeCommand(lab);
  addLabRunCommands(lab);
  addLabExampleCommand(lab);
  addLabDatasetCommands(lab);
  addLabSearchCommands(lab);
  addLabCompetitionCommands(lab);
  addLabDeploymentCommands(lab);
  addLabModelCommands(lab);
  addLabSyncCommands(lab);
}
