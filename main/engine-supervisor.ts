import { ENGINE_REFUSAL_EXIT_CODE, processEndText } from '../core/contract';
import type { EngineStatus, ProcessEnd } from '../core/contract';
import type { KeptTokens } from './secret-keeper';

/** The part of Electron's UtilityProcess the supervisor needs, generic in the port it hands over. */
export interface EngineChild<Port> {
  readonly giveTokens: (kept: KeptTokens) => void;
  readonly connect: (port: Port) => void;
  readonly kill: () => void;
}

export interface EngineChildEvents {
  readonly onSpawn: () => void;
  /** @param report a file that tells more. */
  readonly onExit: (end: ProcessEnd, report?: string) => void;
}

export interface SupervisorParts<Port> {
  readonly fork: (events: EngineChildEvents) => EngineChild<Port>;
  /** Of endpoints, for each engine that starts. */
  readonly keptTokens: () => KeptTokens;
  readonly onStatus: (status: EngineStatus) => void;
  readonly schedule: (run: () => void, delayMs: number) => () => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

export interface EngineSupervisor<Port> {
  readonly status: () => EngineStatus;
  readonly start: () => void;
  /** Starts again at once, forgetting earlier deaths. A running engine is left alone. */
  readonly restart: () => void;
  /** @returns false when no engine runs; the port is then the caller's to close. */
  readonly connect: (port: Port) => boolean;
  /** Ends the engine for good. */
  readonly stop: () => void;
}

/** After this many deaths within the window the engine is given up on until the user asks. */
const MAX_QUICK_DEATHS = 5;
const QUICK_DEATH_WINDOW_MS = 60_000;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 8_000;

function deathReason(end: ProcessEnd, report: string | undefined): string {
  const ended = `the engine process ${processEndText(end)}`;
  return report === undefined ? ended : `${ended} (crash report: ${report})`;
}

/** Keeps one engine process running: restarts with back-off, and gives up when it dies again and again. */
export function createEngineSupervisor<Port>(parts: SupervisorParts<Port>): EngineSupervisor<Port> {
  let child: EngineChild<Port> | undefined;
  let status: EngineStatus = { state: 'starting' };
  let deathsMs: number[] = [];
  let restarts = 0;
  let cancelTimer: (() => void) | undefined;
  let stopped = false;

  const setStatus = (next: EngineStatus): void => {
    status = next;
    parts.onStatus(next);
  };

  const onExit: EngineChildEvents['onExit'] = (end, report) => {
    child = undefined;
    if (stopped) return;
    const now = parts.nowMs();
    deathsMs = [...deathsMs.filter((at) => now - at < QUICK_DEATH_WINDOW_MS), now];
    const reason = deathReason(end, report);
    if (end.code === ENGINE_REFUSAL_EXIT_CODE) {
      setStatus({ state: 'down', reason });
      return;
    }
    if (deathsMs.length >= MAX_QUICK_DEATHS) {
      setStatus({ state: 'down', reason: `${reason} (${deathsMs.length} times within a minute)` });
      return;
    }
    restarts += 1;
    setStatus({ state: 'restarting', reason, restarts });
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (deathsMs.length - 1));
    cancelTimer = parts.schedule(launch, delayMs);
  };

  const launch = (): void => {
    cancelTimer = undefined;
    const onSpawn = (): void => {
      // Before anybody is connected, so that no request finds an endpoint without its token.
      child?.giveTokens(parts.keptTokens());
      setStatus({ state: 'ok' });
    };
    child = parts.fork({ onSpawn, onExit });
  };

  return {
    status: () => status,
    start: () => {
      setStatus({ state: 'starting' });
      launch();
    },
    restart: () => {
      if (child !== undefined || stopped) return;
      cancelTimer?.();
      deathsMs = [];
      setStatus({ state: 'starting' });
      launch();
    },
    connect: (port) => {
      if (child === undefined || status.state !== 'ok') return false;
      child.connect(port);
      return true;
    },
    stop: () => {
      stopped = true;
      cancelTimer?.();
      child?.kill();
    },
  };
}
