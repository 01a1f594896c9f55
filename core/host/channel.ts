import type { EngineMessage } from '../contract';

/** One client's wire: a MessagePort or a WebSocket. */
export interface Channel {
  send(message: EngineMessage): void;
  /**
   * How much of what was sent still waits. `busy`: telemetry waits (its queue is bounded and counts what it loses);
   * `clogged`: interim results of continuous runs are left out as well.
   */
  pressure(): 'free' | 'busy' | 'clogged';
}
