import type { Pin } from '../../contract';
import type { LiveSession } from './live-session';

/** Users' pins, which outlive the session they were made in. */
export class KeptPins {
  private readonly pins = new Map<number, Pin>();

  get all(): readonly Pin[] {
    return [...this.pins.values()];
  }

  /** @throws SluiceError `bad-input` for a user, tier or variant there is not. */
  pin(session: LiveSession, pin: Pin): void {
    session.pin(pin);
    this.pins.set(pin.user, pin);
  }

  unpin(session: LiveSession, user: number): void {
    session.decider.unpin(user);
    this.pins.delete(user);
  }

  /** For a new session. */
  pinAgain(session: LiveSession): void {
    for (const pin of this.all) {
      try {
        session.pin(pin);
      } catch {
        this.pins.delete(pin.user); // its user or variant is gone
      }
    }
  }
}
