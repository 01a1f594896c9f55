import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ensureSlurm, NODE, startSlurm } from './lib/slurm.mjs';
import { main, note, SetupError, step } from './lib/terminal.mjs';

const HELP = `Usage: node scripts/slurm.mjs [options]

Starts a Slurm cluster of one node on this machine, on loopback and in a temporary folder, until Ctrl-C. Needs root on
Debian or Ubuntu; the packages slurm-wlm and munge are installed when they are missing.

  --json   for programs: prints {"configFile", "node"} or {"problem"} on one line, takes the lines
           "stop-controller" and "start-controller" and answers each with {}, and ends with its standard input
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
  const problem = await ensureSlurm();
  if (problem !== undefined) {
    if (!values.json) throw new SetupError(`Slurm can't be started: ${problem}.`);
    answer({ problem });
    return 0;
  }
  const cluster = await startSlurm();
  try {
    await (values.json ? obey(cluster) : waitForInterrupt(cluster));
  } finally {
    await cluster.end();
  }
  return 0;
});

function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Ends with the input, or at a signal. */
function obey(cluster) {
  const lines = createInterface({ input: process.stdin });
  let last = Promise.resolve();
  const ended = new Promise((done, fail) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.once(name, done);
    lines.once('close', done);
    lines.on('line', (line) => {
      last = last.then(() => carryOut(cluster, line)).catch(fail);
    });
  });
  answer({ configFile: cluster.configFile, node: NODE });
  return ended.then(() => last).finally(() => process.stdin.destroy());
}

async function carryOut(cluster, command) {
  if (command === 'stop-controller') await cluster.stopController();
  if (command === 'start-controller') await cluster.startController();
  answer({});
}

function waitForInterrupt(cluster) {
  step(
    `Slurm runs in ${cluster.folder}, with ${NODE.cpus} CPUs, ${NODE.memoryMib} MiB and ${NODE.gpus} GPUs`,
  );
  note('that are only said to be there. In another terminal:');
  note(`  export SLURM_CONF=${cluster.configFile}`);
  note('  sinfo; sbatch --wrap "sleep 10"; squeue');
  note('Ctrl-C ends it.');
  const stayAlive = setInterval(() => {}, 60_000);
  return new Promise((done) => {
    for (const name of ['SIGINT', 'SIGTERM']) process.once(name, done);
  }).finally(() => clearInterval(stayAlive));
}
