import { SluiceError } from '../../contract';
import type { HostClock } from '../host-clock';
import { hashOf, newToken } from './access-tokens';
import type { AccessTokens, TokenHash } from './access-tokens';

export interface SessionTimes {
  /** Without a request or an open console. */
  readonly idleMs: number;
  readonly totalMs: number;
}

/** More would be somebody who logs in for ever: the one unused for longest goes. */
const MAX_SESSIONS = 256;
const SWEEP_MS = 15_000;

/** One log-in, or the programs that bring one token. Ends with its token. */
export class Session {
  lastUsedMs: number;
  private readonly held = { socket: new Set<() => void>(), upload: new Set<() => void>() };

  constructor(
    /** To count by; opens nothing. */
    readonly name: string,
    readonly token: TokenHash,
    readonly startedMs: number,
    /** Programs bring their token each time: there is nothing to expire. */
    readonly expires: boolean,
  ) {
    this.lastUsedMs = startedMs;
  }

  /**
   * Keeps the session in use, as a socket does. At most `most` of a kind at once.
   * @param end is called when the session ends first.
   * @returns the way to let go. @throws SluiceError `overloaded`.
   */
  hold(kind: 'socket' | 'upload', most: number, end: () => void): () => void {
    const held = this.held[kind];
    if (held.size >= most) {
      throw new SluiceError('overloaded', `This session has ${most} ${kind}s open. Close some first.`);
    }
    held.add(end);
    return () => held.delete(end);
  }

  get inUse(): boolean {
    return this.held.socket.size + this.held.upload.size > 0;
  }

  end(): void {
    for (const end of [...this.held.socket, ...this.held.upload]) end();
  }
}

/** Log-ins by browsers: random ids in memory, which end after a time, with their token, by logging out, or with the process. */
export class Sessions {
  private readonly byId = new Map<string, Session>();
  private readonly programs = new Map<TokenHash, Session>();
  private stopSweeping: () => void;

  constructor(
    private readonly tokens: AccessTokens,
    private readonly times: SessionTimes,
    private readonly clock: HostClock,
  ) {
    this.stopSweeping = this.sweepSoon();
  }

  /** @returns the id, for the browser alone. */
  start(token: TokenHash): string {
    if (this.byId.size >= MAX_SESSIONS) this.endOldest();
    const id = newToken();
    const key = hashOf(id);
    this.byId.set(key, new Session(key, token, this.clock.nowMs(), true));
    return id;
  }

  /** The session of an id, which is in use with this. */
  find(id: string): Session | undefined {
    const session = this.byId.get(hashOf(id));
    if (session === undefined) return undefined;
    if (this.isOver(session)) {
      this.end(session);
      return undefined;
    }
    session.lastUsedMs = this.clock.nowMs();
    return session;
  }

  /** What programs with a token share. */
  ofProgram(token: TokenHash): Session {
    const known = this.programs.get(token);
    if (known !== undefined) return known;
    const session = new Session(`program ${token}`, token, this.clock.nowMs(), false);
    this.programs.set(token, session);
    return session;
  }

  end(session: Session): void {
    for (const [key, each] of this.byId) if (each === session) this.byId.delete(key);
    if (this.programs.get(session.token) === session) this.programs.delete(session.token);
    session.end();
  }

  close(): void {
    this.stopSweeping();
  }

  private isOver(session: Session): boolean {
    if (!this.tokens.holds(session.token)) return true;
    if (!session.expires) return false;
    const nowMs = this.clock.nowMs();
    if (session.inUse) session.lastUsedMs = nowMs;
    return nowMs - session.startedMs >= this.times.totalMs || nowMs - session.lastUsedMs >= this.times.idleMs;
  }

  private endOldest(): void {
    const [oldest] = [...this.byId.values()].sort((a, b) => a.lastUsedMs - b.lastUsedMs);
    if (oldest !== undefined) this.end(oldest);
  }

  /** Open sockets end with their session, though nobody asks for it. */
  private sweepSoon(): () => void {
    const everyMs = Math.min(SWEEP_MS, this.times.totalMs / 4, this.times.idleMs / 4);
    return this.clock.after(Math.max(100, everyMs), () => {
      for (const session of [...this.byId.values(), ...this.programs.values()]) {
        if (this.isOver(session)) this.end(session);
      }
      this.stopSweeping = this.sweepSoon();
    });
  }
}
