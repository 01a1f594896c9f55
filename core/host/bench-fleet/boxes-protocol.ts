/** What the process of simulated boxes is told, and answers. */
export type BoxesCommand =
  | { readonly kind: 'start'; readonly count: number; readonly version: string; readonly token: string }
  | { readonly kind: 'counts' }
  /** Every connection breaks at once, as when their switch is off for a moment. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'end' };

export interface BoxCounts {
  readonly connected: number;
  readonly watched: number;
}
