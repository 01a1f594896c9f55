// Prints the tables of ADR 10 from the JSON of `sluice bench offload --json`.
// Usage: node scripts/bench-offload-table.mjs docs/bench/offload.json
import { readFileSync } from 'node:fs';

const [path] = process.argv.slice(2);
if (!path) {
  process.stderr.write('usage: node scripts/bench-offload-table.mjs FILE.json\n');
  process.exit(2);
}
const report = JSON.parse(readFileSync(path, 'utf8'));
const { environment, rows, reductions, sensitivity, convergence, manyUsers, decisionTimes, bars } = report;
const unique = (values) => [...new Set(values)];
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const users = unique(rows.map((row) => row.users)).sort((a, b) => a - b);
const lines = [];
const print = (...cells) => lines.push(`| ${cells.join(' | ')} |`);
const head = (titles, aligned) => {
  print(...titles);
  lines.push(`|${aligned.map((right) => (right ? '--:' : '---')).join('|')}|`);
};

lines.push(
  `${environment.cpu}, ${environment.workers} workers, Node ${environment.node.slice(1)}, commit ${environment.commit}; ` +
    `${environment.seeds} seeds, ${environment.elapsedSec} s in all.`,
  '',
  'States within 1% of the oracle, percent, mean of link scenarios, thresholds and seeds (mean gap, percent):',
  '',
);
const agents = unique(rows.map((row) => row.agent)).filter((agent) => !agent.includes('oracle'));
head(['agent', ...users.map((count) => `${count} users`)], [false, ...users.map(() => true)]);
for (const agent of agents) {
  const cells = users.map((count) => {
    const own = rows.filter((row) => row.agent === agent && row.users === count);
    const within = mean(own.map((row) => row.statesWithinOnePct.mean));
    const gap = mean(own.map((row) => row.optimalityGapPct.mean));
    return `${within.toFixed(1)} (${gap.toFixed(1)})`;
  });
  print(agent, ...cells);
}

lines.push(
  '',
  'Real steps until the gap stays within 1%, median (least to most); ratios to Q-learning and DQN:',
  '',
);
const all = (row) =>
  `${row.steps} (${row.least} to ${row.most})`.replaceAll('> budget', `> ${row.budgetSteps}`);
for (const links of unique(convergence.map((row) => row.links))) {
  lines.push(`Links ${links}`, '');
  head(['agent', ...users.map((count) => `${count} users`)], [false, ...users.map(() => true)]);
  for (const agent of unique(convergence.map((row) => row.agent))) {
    const cells = users.map((count) => {
      const row = convergence.find(
        (each) => each.links === links && each.agent === agent && each.users === count,
      );
      return row ? `${all(row)}; ${row.ratioToQLearning}, ${row.ratioToDqn}` : '-';
    });
    print(agent, ...cells);
  }
  lines.push('');
}

lines.push(
  'Reduction at threshold 89 against the oracle of offload-only, percent (points of accuracy lost), factored:',
  '',
);
const linkNames = unique(reductions.map((row) => row.links));
head(['users', ...linkNames.map((links) => `links ${links}`)], [true, ...linkNames.map(() => true)]);
for (const count of users) {
  const cells = linkNames.map((links) => {
    const row = reductions.find(
      (each) => each.users === count && each.links === links && each.agent === 'factored',
    );
    return row ? `${row.reductionAgainstOraclePct.toFixed(1)} (${row.lostAccuracyPct.toFixed(2)})` : '-';
  });
  print(count, ...cells);
}

lines.push('', 'Where the reduction crosses 35%:', '');
head(['users', 'links', 'varied', 'at'], [true, false, false, true]);
for (const { users: count, crossings } of sensitivity) {
  for (const { links, varied, at } of crossings) print(count, links, varied, at);
}

lines.push('', 'Many users, factored:', '');
head(
  ['users', 'seed', 'gap to bound, %', 'right after the change, %', 'recovered after, steps', 'steps beyond'],
  [true, true, true, true, true, true],
);
for (const row of manyUsers) {
  print(
    row.users,
    row.seed,
    row.gapToBoundPct,
    row.gapAfterChangePct,
    row.recoveredAfter ?? '-',
    row.stepsBeyond,
  );
}

lines.push('', 'Decisions, ms:', '');
head(['agent', 'users', 'p50', 'p99'], [false, true, true, true]);
for (const row of decisionTimes) print(row.agent, row.users, row.p50Ms, row.p99Ms);

lines.push('', '| bar | target | measured | met |', '|---|---|--:|---|');
for (const bar of bars) {
  const where = bar.worst ? ` (${bar.worst})` : '';
  print(`${bar.bar}${where}`, bar.target, bar.value, bar.met ? 'yes' : 'no');
}
process.stdout.write(`${lines.join('\n')}\n`);
