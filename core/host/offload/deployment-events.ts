import type { Clock } from '../../base';
import type { DecisionRecord, OffloadState } from '../../contract';
import type { EventBus } from '../event-bus';
import { EventPace } from '../event-pace';

const STATE_EVERY_MS = 200;
const DECISIONS_EVERY_MS = 100;

/** Tells consoles of the deployment, no faster than they can draw. */
export class DeploymentEvents {
  private readonly statePace: EventPace;
  private readonly decisionsPace: EventPace;
  private readonly waiting = new Map<number, DecisionRecord>();

  constructor(clock: Clock, bus: EventBus, state: () => OffloadState) {
    this.statePace = new EventPace(clock, STATE_EVERY_MS, () => bus.emit('offload', state()));
    this.decisionsPace = new EventPace(clock, DECISIONS_EVERY_MS, () => {
      const records = [...this.waiting.values()];
      this.waiting.clear();
      if (records.length > 0) bus.emit('decisions', records);
    });
  }

  /** A record replaces the one of its id that was not told yet. */
  decided(record: DecisionRecord): void {
    this.waiting.set(record.id, record);
    this.decisionsPace.changed();
  }

  stateChanged(): void {
    this.statePace.changed();
  }

  /** Tells all that waits, now. */
  flush(): void {
    this.decisionsPace.flush();
    this.statePace.flush();
  }

  cancel(): void {
    this.statePace.cancel();
    this.decisionsPace.cancel();
  }
}
