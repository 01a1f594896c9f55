import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import { SluiceError } from '../../contract';
import type { DecisionRecord, RemoteTrace } from '../../contract';
import { DecisionLog } from '../../offload';
import type { Answer } from '../../offload';
import { decisionRecord, loggedRecord } from './decision-records';
import type { Round } from './decision-records';
import { roundTrace } from './round-trace';

/** Rounds whose stages are kept for the timeline. */
const KEPT_TRACES = 200;
const PAGE = 1000;
/** What one export holds at most: about 60 MB of text. */
const EXPORTED = 100_000;

/** What was decided in this data folder, newest first. */
export class DecisionHistory {
  private opened: DecisionLog | undefined;
  private readonly answers = new Map<number, readonly Answer[]>();

  /** @param nameOf of an endpoint, by id. */
  constructor(
    private readonly path: string,
    private readonly nameOf: (endpointId: string) => string,
  ) {}

  /** Opened, or made, when it is first asked for. @throws SluiceError `io`, `bad-input` for a file that is no decision log. */
  get log(): DecisionLog {
    if (!this.opened) {
      mkdirSync(dirname(this.path), { recursive: true });
      this.opened = new DecisionLog(this.path);
    }
    return this.opened;
  }

  /** Remembers the stages of a round that has ended. @returns the round as consoles see it. */
  add(round: Round): DecisionRecord {
    const { decision, answers } = round;
    if (answers) {
      this.answers.set(decision.id, answers);
      for (const id of this.answers.keys()) {
        if (this.answers.size <= KEPT_TRACES) break;
        this.answers.delete(id);
      }
    }
    return decisionRecord(round, this.nameOf);
  }

  /** @throws SluiceError `bad-input` for a damaged decision. */
  list(beforeId: number, limit: number): readonly DecisionRecord[] {
    if (!this.opened && !existsSync(this.path)) return [];
    return this.log.listBack(beforeId, limit).flatMap((logged) => loggedRecord(logged, this.nameOf) ?? []);
  }

  /** @throws SluiceError `not-found` for a round whose stages are no longer kept. */
  trace(decisionId: number): RemoteTrace {
    const answers = this.answers.get(decisionId);
    if (answers) return roundTrace(decisionId, answers, this.nameOf);
    throw new SluiceError(
      'not-found',
      `Decision ${decisionId}: its stages are not kept; those of the last ${KEPT_TRACES} rounds are.`,
      { decisionId },
    );
  }

  /** The newest decisions as JSON lines, newest first. */
  export(): string {
    const lines: string[] = [];
    let beforeId = Number.MAX_SAFE_INTEGER;
    while (lines.length < EXPORTED) {
      const page = this.log.listBack(beforeId, PAGE);
      const last = page.at(-1);
      if (!last) break;
      for (const logged of page) {
        const record = loggedRecord(logged, this.nameOf);
        if (record) lines.push(JSON.stringify(record));
      }
      beforeId = last.decision.id;
    }
    return lines.map((line) => `${line}\n`).join('');
  }

  close(): void {
    this.opened?.close();
    this.opened = undefined;
  }
}
