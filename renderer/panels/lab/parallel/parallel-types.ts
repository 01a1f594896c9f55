/** One axis. What is no finite number, or not among the values, has no place on it: the line is broken there. */
export type ParallelAxis = {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
} & (
  | {
      readonly kind: 'number';
      /** `log` needs `min` above 0. */
      readonly scale: 'linear' | 'log';
      readonly min: number;
      readonly max: number;
      readonly isInteger?: boolean;
    }
  | { readonly kind: 'category'; readonly values: readonly string[] }
);

export interface ParallelLine {
  readonly id: string;
  readonly label: string;
  /** By axis, in their order. */
  readonly values: readonly (number | string | undefined)[];
}

/** The part of an axis that is looked at; at most one an axis. */
export type ParallelBrush =
  | { readonly axis: string; readonly min: number; readonly max: number }
  | { readonly axis: string; readonly values: readonly string[] };

export interface ParallelCoordinatesProps {
  /** What is shown, for assistive technology. */
  readonly label: string;
  readonly axes: readonly ParallelAxis[];
  readonly lines: readonly ParallelLine[];
  readonly brushes: readonly ParallelBrush[];
  /** All of them, as they are after a drag, a key or a removal. */
  readonly onBrush: (brushes: readonly ParallelBrush[]) => void;
  /** A number axis whose values colour the lines; absent: one colour. */
  readonly colourBy?: string;
  /** Which end of it is the good one, drawn strongest. Default `max`. */
  readonly best?: 'min' | 'max';
  /** A line drawn over the others. */
  readonly marked?: string | undefined;
  /** A click on a line. */
  readonly onOpen?: (id: string) => void;
}
