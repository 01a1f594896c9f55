import type { ToldEvent } from './told-events';

export type BoxListener = (event: ToldEvent, payload: unknown) => void;

/** Who hears what a box tells, each all of it or some. */
export class BoxListeners {
  private readonly listeners = new Map<BoxListener, ReadonlySet<ToldEvent> | undefined>();

  get isEmpty(): boolean {
    return this.listeners.size === 0;
  }

  /** @param only the events it hears; absent: all. */
  add(listener: BoxListener, only?: ReadonlySet<ToldEvent>): void {
    this.listeners.set(listener, only);
  }

  remove(listener: BoxListener): void {
    this.listeners.delete(listener);
  }

  want(event: ToldEvent): boolean {
    for (const only of this.listeners.values()) if (only?.has(event) ?? true) return true;
    return false;
  }

  tell(event: ToldEvent, payload: unknown): void {
    for (const [listener, only] of [...this.listeners])
      if (only?.has(event) ?? true) listener(event, payload);
  }
}
