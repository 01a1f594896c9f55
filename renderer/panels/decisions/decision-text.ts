import type { DecisionRecord, UserDecision } from '../../../core/contract';
import { strings } from '../../strings';

const STRINGS = strings.decisions;

const WORDS = STRINGS.feed;
/** Users named one by one; more are counted by choice. */
const NAMED_USERS = 3;

function choiceOf({ tier, variant }: UserDecision): string {
  return `${STRINGS.tiers[tier]} ${variant}`;
}

/** `edge d4`; `edge d4 · device d1`; of many users `12 × edge d4, 3 × device d1`, the most frequent first. */
export function choicesText(users: readonly UserDecision[]): string {
  if (users.length <= NAMED_USERS) return users.map(choiceOf).join(' · ');
  const counts = new Map<string, number>();
  for (const user of users) counts.set(choiceOf(user), (counts.get(choiceOf(user)) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([choice, count]) => `${count} × ${choice}`)
    .join(', ');
}

/** What failed and who answered instead, of one user; empty when it went as decided. */
export function userOutcome(user: UserDecision): string {
  const failed = user.failures.map(({ endpoint, reason }) =>
    reason === 'slow' ? WORDS.slow(endpoint) : WORDS.failed(endpoint),
  );
  if (user.answeredBy !== undefined && user.answeredBy !== user.tier)
    failed.push(WORDS.answered(STRINGS.tiers[user.answeredBy]));
  return failed.join(', ');
}

/** The same of a whole round: the first user it did not go as decided for, and how many more. */
export function outcomeText(record: DecisionRecord): string {
  if (!isOver(record)) return WORDS.underWay;
  const outcomes = record.users.flatMap((user) => {
    const text = user.responseMs === undefined ? WORDS.nobody : userOutcome(user);
    return text === '' ? [] : [text];
  });
  const [first, ...others] = outcomes;
  if (first === undefined) return '';
  return others.length === 0 ? first : `${first} ${WORDS.more(others.length)}`;
}

export function isOver({ meanResponseMs, rewardMs }: DecisionRecord): boolean {
  return meanResponseMs !== undefined || rewardMs !== undefined;
}
