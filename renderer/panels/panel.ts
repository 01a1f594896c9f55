import type { ComponentType } from 'react';

import type { Session } from '../session';
import type { ChosenFile } from '../transport';
import type { LazyView } from '../ui';

/** Under which head of the palette a command stands: what it does, or what it leads to. */
export type CommandGroup =
  'do' | 'panel' | 'go' | 'models' | 'runs' | 'conversations' | 'boxes' | 'view' | 'help';

/** An action in the command palette. */
export interface Command {
  readonly id: string;
  /** What it does, as a verb phrase. */
  readonly title: string;
  /** Further words it is found by. */
  readonly keywords?: string;
  /** `do` when absent. */
  readonly group?: CommandGroup;
  /** The keys that do the same, as on their caps. */
  readonly shortcut?: string;
  /** Why it can't be done now; it is shown, and not done. */
  readonly disabled?: string | undefined;
  readonly run: () => void;
}

/** What a panel does with files dropped anywhere in the window. */
export interface DropRule {
  /** Shown over the window while such files hover. */
  readonly hint: string;
  readonly accepts: (fileName: string) => boolean;
  readonly take: (session: Session, file: ChosenFile) => void;
}

/** One panel of the console. It is in the document only while it is in view: what must survive belongs in a store. */
export interface PanelDefinition {
  /** Remembered in the layout; also the suffix of the panel's `data-testid`. */
  readonly id: string;
  /** The rail's label. */
  readonly title: string;
  readonly Icon: ComponentType;
  /**
   * Fills the working area (a flex row); the frame wraps it in the panel's root element. It is fetched when it is needed, or
   * when the window has nothing else to do: what a window starts with must not import it.
   */
  readonly view: LazyView;
  readonly drop?: DropRule;
  readonly commands?: (session: Session) => readonly Command[];
}
