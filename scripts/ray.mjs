import { parseArgs } from 'node:util';
import { ensureRay, NODE, startRay } from './lib/ray.mjs';
import { main, note, SetupError, step } from './lib/terminal.mjs';

const HELP = `Usage: node scripts/ray.mjs [options]

Starts a Ray cluster of one node on this machine, on loopback and in a temporary folder, until Ctrl-C. Ray is installed
into .cache/ray with pip, the first time.

  --json   for programs: prints {"url", "node"} or {"problem"} on one line, and ends with its standard input
  --help   this text
`;

await main(async () => {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { python, problem } = await ensureRay();
  if (problem !== undefined) {
    if (!values.json) throw new SetupError(`Ray can't be started: ${problem}.`);
    process.stdout.write(`${JSON.stringify({ problem })}\n`);
    return 0;
  }
  const cluster = await startRay(python);
  try {
    await untilEnd(cluster, values.json);
  } finally {
    await cluster.end();
  }
  return 0;
});

function untilEnd({ url, folder }, isForProgram) {
  if (isForProgram) {
    process.stdout.write(`${JSON.stringify({ url, node: NODE })}\n`);
  } else {
    step(`Ray runs in ${folder}; its dashboard and its jobs are at ${url}. Ctrl-C ends it.`);
    note(`It is told to have ${NODE.cpus} CPUs and ${NODE.gpus} GPUs, whatever this machine has.`);
  }
  const stayAlive = setInterval(() => {}, 60_000);
  return new Promise((done) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.once(name, done);
    if (isForProgram) process.stdin.once('end', done).once('error', done).resume();
  }).finally(() => clearInterval(stayAlive));
}
