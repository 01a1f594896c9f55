import type { EngineMessage, EventName, Events } from '../contract';

type EventMessage = Extract<EngineMessage, { readonly event: EventName }>;

/** Tells every connection what happens. Events reach a listener in the order they were emitted, synchronously. */
export class EventBus {
  private readonly listeners = new Set<(message: EventMessage) => void>();

  emit<E extends EventName>(event: E, payload: Events[E]): void {
    const message = { event, payload } as EventMessage;
    for (const listener of [...this.listeners]) listener(message);
  }

  /** @returns the way to stop listening. */
  subscribe(listener: (message: EventMessage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
