import type { ComponentType } from 'react';

import type { Session } from '../session';

/** An action in the command palette. */
export interface Command {
  readonly id: string;
  /** What it does, as a verb phrase. */
  readonly title: string;
  /** Further words it is found by. */
  readonly keywords?: string;
  readonly run: () => void;
}

/** One panel of the console. It is in the document only while it is in view: what must survive belongs in a store. */
export interface PanelDefinition {
  /** Remembered in the layout; also the suffix of the panel's `data-testid`. */
  readonly id: string;
  /** The rail's label. */
  readonly title: string;
  readonly Icon: ComponentType;
  /** Fills the working area (a flex row); the frame wraps it in the panel's root element. */
  readonly View: ComponentType;
  readonly commands?: (session: Session) => readonly Command[];
}
