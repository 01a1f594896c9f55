import type { Command } from 'commander';

import { startExample } from '../../lab/example/start-example';
import type { CaseReport, CaseRun } from '../../lab/example/whole-case';
import { table } from '../table';
import { boardTable } from './competition-text';
import { onLab } from './on-lab';
import { followRun, refuseDetached } from './runs';

interface ExampleCommandOptions {
  readonly detach?: boolean;
  readonly whole?: boolean;
}

/** `sluice lab example`. */
export function addLabExampleCommand(lab: Command): void {
  lab
    .command('example')
    .description('lay out the shipped example (programs, a dataset, three competitions), and run it')
    .option('--detach', "return when it is queued; needs the lab's server")
    .option('--whole', 'all of it: three users, forks, a search, the boards, and the best model served')
    .action((options: ExampleCommandOptions, command: Command) =>
      onLab(command, async (connection, context) => {
        refuseDetached(connection, options);
        const { appRoot, dataDir, signal, log } = context;
        const given = { api: connection.api, appRoot, dataDir, signal };
        if (options.whole !== true) return followRun(context, connection, await startExample(given), options);
        const { runWholeCase } = await import('../../lab/example/whole-case');
        const report = await runWholeCase({ ...given, log });
        return { json: report, text: caseText(report) };
      }),
    );
}

function caseText({ runs, search, boards, served }: CaseReport): string {
  const parameters = Object.entries(search.parameters).map(([name, value]) => `${name}=${value}`);
  return [
    table<CaseRun>(
      [
        { title: 'run', text: ({ name }) => name },
        { title: 'is', text: ({ what }) => what },
        { title: 'program', text: ({ program }) => program },
        { title: 'metric', text: ({ metric }) => metric },
        { title: 'value', text: ({ value }) => value.toFixed(4), align: 'right' },
      ],
      runs,
    ),
    `${search.id} (${search.algorithm}): ${search.trials} trials, ${search.spentEpochs} epochs, found ${parameters.join(' ')}`,
    ...Object.entries(boards).map(([name, board]) => `${name}\n${boardTable(board)}`),
    `${served.model} version ${served.version}, served: ${served.asPredicted} of ${served.requests} answers are the program's own; ` +
      `${(100 * served.accuracy).toFixed(2)}% are right`,
  ].join('\n\n');
}
