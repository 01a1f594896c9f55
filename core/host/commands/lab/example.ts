import type { Command } from 'commander';

import { startExample } from '../../lab/example/start-example';
import { followRun, refuseDetached } from './runs';
import { onLab } from './on-lab';

/** `sluice lab example`. */
export function addLabExampleCommand(lab: Command): void {
  lab
    .command('example')
    .description('lay out the shipped example (programs, a dataset, three competitions), and run it')
    .option('--detach', "return when it is queued; needs the lab's server")
    .action((options: { readonly detach?: boolean }, command: Command) =>
      onLab(command, async (connection, context) => {
        refuseDetached(connection, options);
        const { appRoot, dataDir, signal } = context;
        const run = await startExample({ api: connection.api, appRoot, dataDir, signal });
        return followRun(context, connection, run, options);
      }),
    );
}
