import type { Command } from 'commander';

import { findCrash, listCrashes, removeCrashes } from '../crash-reports/crash-folder';
import type { KeptCrash } from '../crash-reports/crash-folder';
import { execute } from './context';
import { table } from './table';

/** `sluice crashes`: what processes of Sluice left when they ended unexpectedly. Nothing of it is ever sent. */
export function addCrashCommands(program: Command): void {
  const crashes = program.command('crashes').description('reports of crashes, kept on this machine only');
  crashes
    .command('list')
    .description('the newest first')
    .action((_options, command: Command) =>
      execute(command, ({ dataDir }) => {
        const all = listCrashes(dataDir);
        return Promise.resolve({ json: { crashes: all }, text: crashTable(all) });
      }),
    );
  crashes
    .command('show')
    .argument('[id]', 'as listed', 'latest')
    .description('one report, as it may be passed on: without tokens, prompts and names of folders')
    .action((id: string, _options, command: Command) =>
      execute(command, ({ dataDir }) => {
        const crash = findCrash(dataDir, id);
        return Promise.resolve({ json: crash, text: crashText(crash) });
      }),
    );
  crashes
    .command('remove')
    .argument('[id]', 'as listed (default: all)')
    .description('delete a report, or all and what the system kept of native crashes')
    .action((id: string | undefined, _options, command: Command) =>
      execute(command, ({ dataDir }) => {
        const removed = removeCrashes(dataDir, id);
        return Promise.resolve({ json: { removed }, text: `Removed ${removed} reports.` });
      }),
    );
}

function crashTable(all: readonly KeptCrash[]): string {
  if (all.length === 0) return 'No process of Sluice has crashed.';
  return table<KeptCrash>(
    [
      { title: 'report', text: ({ id }) => id },
      { title: 'process', text: (crash) => crash.process },
      { title: 'how it ended', text: ({ reason }) => reason },
    ],
    all,
  );
}

function crashText(crash: KeptCrash): string {
  const { at, app, platform, reason, error, lastLines, path } = crash;
  return [
    `${crash.process} of Sluice ${app} ended at ${at}: ${reason}`,
    platform,
    ...(error === undefined ? [] : ['', error]),
    ...(lastLines.length === 0 ? [] : ['', 'Its last lines:', ...lastLines]),
    '',
    path,
  ].join('\n');
}
