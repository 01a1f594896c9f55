/** The words of the application's own update. */
export const updates = {
  check: 'Check for updates of Sluice',
  keywords: 'upgrade new version',
  checking: 'Looking for a newer Sluice…',
  current: (version: string): string => `Sluice ${version} is the newest version.`,
  available: (version: string): string => `Sluice ${version} is available.`,
  download: 'Download',
  downloading: (version: string, percent: number): string => `Downloading Sluice ${version}: ${percent}%`,
  ready: (version: string): string => `Sluice ${version} is downloaded and checked.`,
  install: 'Restart and install',
  again: 'Try again',
  close: 'Close',
} as const;
