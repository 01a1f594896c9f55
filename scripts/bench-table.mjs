// Prints the README's table from the JSON of `sluice bench layering --json`.
// Usage: node scripts/bench-table.mjs docs/bench/layering.json
import { readFileSync } from 'node:fs';

const [path] = process.argv.slice(2);
if (!path) {
  process.stderr.write('usage: node scripts/bench-table.mjs FILE.json\n');
  process.exit(2);
}
const { environment, networks, rows, bars } = JSON.parse(readFileSync(path, 'utf8'));
const row = (network, side) =>
  rows.find((item) => item.network === network && item.side === side && !item.error);
const ms = (value) => (value === undefined ? '-' : value.toFixed(value < 100 ? 1 : 0));
const ratios = (item) => `${item.limitRatio.toFixed(2)} / ${item.boundRatio.toFixed(2)}`;
const error = (item) => `${item.predictionErrorPct > 0 ? '+' : ''}${item.predictionErrorPct.toFixed(1)}`;
const mb = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);

const costs = networks.map((network) => network.readCpuMsPerGB);
const rates = networks.map((network) => network.readBytesPerSec / 1e9);
const range = (values, digits) =>
  `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;

const lines = [
  `${environment.cpu}, ${environment.threads} threads, ${environment.disk}, ONNX Runtime ${environment.runtimeVersion}, Node ${environment.node.slice(1)}; commit ${environment.commit}. ` +
    `Direct reads: ${range(rates, 1)} GB/s; a gigabyte takes ${range(costs, 0)} ms of CPU time from computing.`,
  '',
  '| network | all weights, MB | whole ORT, ms | resident, ms | least memory, MB (less) | async there, ms (limit / bound ratio) | async at 11.6%, ms (limit / bound ratio) | predicted, % off | mmap / async in one memory cgroup |',
  '|---|--:|--:|--:|--:|--:|--:|--:|--:|',
];
for (const { network, weightBytes } of networks) {
  const least = row(network, 'async@least');
  const share = row(network, 'async@11.6%');
  const mapped = row(network, 'ort-mmap+cgroup');
  const limited = row(network, 'async@11.6%+cgroup');
  const factor = mapped && limited ? `${(mapped.medianMs / limited.medianMs).toFixed(1)}x` : '-';
  lines.push(
    `| ${network} | ${mb(weightBytes)} | ${ms(row(network, 'ort')?.medianMs)} | ${ms(row(network, 'resident')?.medianMs)} ` +
      `| ${mb(least.parameterMemoryBytes)} (-${least.reductionPct.toFixed(1)}%) | ${ms(least.medianMs)} (${ratios(least)}) ` +
      `| ${ms(share.medianMs)} (${ratios(share)}) | ${error(least)}, ${error(share)} | ${factor} |`,
  );
}
lines.push('', '| bar | target | measured | met |', '|---|---|--:|---|');
for (const bar of bars) {
  const where = bar.worst ? ` (${bar.worst})` : '';
  lines.push(`| ${bar.bar}${where} | ${bar.target} | ${bar.value} | ${bar.met ? 'yes' : 'no'} |`);
}
process.stdout.write(`${lines.join('\n')}\n`);
