import type { DecisionRecord, NodeState } from '../../../core/contract';
import { strings } from '../../strings';

const STRINGS = strings.decisions;

const WORDS = STRINGS.regimes;

/** The world changed between two rounds: a link, processor or memory level, or an endpoint barred or back. */
export interface RegimeChange {
  readonly decisionId: number;
  readonly atMs: number;
  readonly text: string;
}

function changesOf(before: NodeState, after: NodeState): readonly string[] {
  const changes: string[] = [];
  if ((before.barred === undefined) !== (after.barred === undefined))
    changes.push(after.barred === undefined ? WORDS.back : WORDS.barred);
  if (before.link !== after.link) changes.push(WORDS.link[after.link]);
  if (before.cpu !== after.cpu) changes.push(WORDS.cpu[after.cpu]);
  if (before.memory !== after.memory) changes.push(WORDS.memory[after.memory]);
  return changes;
}

/** Changes along a list of rounds. @param decisions newest first. @returns oldest first. */
export function regimeChanges(decisions: readonly DecisionRecord[]): readonly RegimeChange[] {
  const changes: RegimeChange[] = [];
  for (let i = decisions.length - 2; i >= 0; i -= 1) {
    const before = decisions[i + 1]!;
    const after = decisions[i]!;
    const texts = after.nodes.flatMap((node) => {
      const earlier = before.nodes.find(({ tier }) => tier === node.tier);
      if (earlier === undefined || earlier === node) return [];
      return changesOf(earlier, node).map((change) => `${STRINGS.tiers[node.tier]} ${change}`);
    });
    if (texts.length > 0)
      changes.push({ decisionId: after.id, atMs: Date.parse(after.at), text: texts.join(', ') });
  }
  return changes;
}
