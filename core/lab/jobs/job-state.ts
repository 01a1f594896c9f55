/** Of a job, or of a run, which knows more states: those that do not change any more. */
export const FINAL_STATES = ['succeeded', 'failed', 'stopped', 'lost'] as const;

export function hasEnded({ state }: { readonly state: string }): boolean {
  return (FINAL_STATES as readonly string[]).includes(state);
}
