/** Words that the lab's shelves share. */
export const shelf = {
  retry: 'Try again',
  waiting: 'Waiting for the engine…',
  stale: 'What is shown may be old',
  openRun: (name: string): string => `Open run ${name}`,
  keep: 'Keep it',
  used: (what: string, used: string, total: string): string => `${what}: ${used} of ${total} used`,
} as const;
