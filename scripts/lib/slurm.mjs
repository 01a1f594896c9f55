import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureDebianPackages } from './debian.mjs';
import { lastLines } from './install.mjs';
import { withLock } from './lock.mjs';
import { endMarked, freePort, markOf } from './marked-processes.mjs';
import { CACHE } from './paths.mjs';
import { run } from './process.mjs';
import { SetupError } from './terminal.mjs';

const NEEDS = [
  { packages: ['slurm-wlm'], for: "Slurm's own daemons and commands" },
  { packages: ['munge'], for: 'how they trust each other' },
];
const COMMANDS = ['/usr/sbin/munged', '/usr/sbin/slurmctld', '/usr/sbin/slurmd', '/usr/bin/sbatch'];
/** The one node; it is said to be larger than small machines are, so that jobs can share it anywhere. */
export const NODE = { name: 'box', cpus: 4, memoryMib: 2000, gpus: 2 };
const IDLE_WITHIN_MS = 30_000;

/** @returns {Promise<string | undefined>} why Slurm can't be had on this machine */
export async function ensureSlurm() {
  const missing = () => COMMANDS.filter((command) => !existsSync(command));
  if (process.platform !== 'linux') return 'Slurm is started for tests on Linux alone';
  if (process.getuid() !== 0) return 'slurmd runs jobs as root alone; this is another user';
  if (missing().length > 0) await withLock(join(CACHE, 'slurm.lock'), () => ensureDebianPackages(NEEDS));
  return missing().length > 0 ? `${missing().join(', ')} could not be installed` : undefined;
}

/**
 * Starts munged, slurmctld and slurmd for one node, which talk over loopback, in a folder of their own: neither the
 * machine's services nor its /etc are touched. Who does not hold munge's key, made for this cluster alone, is refused.
 *
 * @returns {Promise<SlurmCluster>} once the node takes jobs.
 * @throws SetupError with what the daemons said.
 */
export async function startSlurm() {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-slurm-'));
  const cluster = new SlurmCluster(folder);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster.end();
    throw error;
  }
}

class SlurmCluster {
  #id = randomBytes(8).toString('hex');
  #daemons = new Map();

  constructor(folder) {
    this.folder = folder;
    this.configFile = join(folder, 'slurm.conf');
    this.environment = { SLURM_CONF: this.configFile };
  }

  async start() {
    await writeConfiguration(this.folder);
    const at = (name) => join(this.folder, name);
    this.#spawn('munged', [
      '--foreground',
      '--force',
      `--socket=${at('munge.socket')}`,
      `--key-file=${at('munge.key')}`,
      `--pid-file=${at('munged.pid')}`,
      `--seed-file=${at('munged.seed')}`,
      `--log-file=${at('munged.log')}`,
      '--num-threads=2',
    ]);
    await this.#until('munged listens', () => existsSync(at('munge.socket')));
    this.#spawnController();
    this.#spawn('slurmd', ['-D', '-N', NODE.name, '-f', this.configFile]);
    await this.#until('the node is idle', async () => {
      const { output } = await run('sinfo', ['-h', '-o', '%T'], { env: this.environment });
      return output.trim() === 'idle';
    });
  }

  async startController() {
    this.#spawnController();
    await this.#until('slurmctld answers', async () => {
      const { code } = await run('sinfo', ['-h'], { env: this.environment });
      return code === 0;
    });
  }

  /** Jobs go on, nobody answers. It keeps its state: killed, it would forget the jobs of its last seconds. */
  async stopController() {
    const { child, ended } = this.#daemons.get('slurmctld');
    child.kill('SIGTERM');
    await ended;
  }

  /** Ends the jobs, the daemons and whatever they left, and removes the folder. */
  async end() {
    if (this.#daemons.has('slurmd')) await this.#endJobs();
    for (const name of ['slurmd', 'slurmctld', 'munged']) {
      const daemon = this.#daemons.get(name);
      daemon?.child.kill('SIGTERM');
      await Promise.race([daemon?.ended, sleep(3000, undefined, { ref: false })]);
    }
    await endMarked(this.#id, 1000);
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawnController() {
    this.#spawn('slurmctld', ['-D', '-f', this.configFile]);
  }

  async #endJobs() {
    const command = { env: this.environment, timeoutMs: 5000 };
    await run('scancel', ['--user=root', '--state=PENDING'], command);
    await run('scancel', ['--user=root', '--signal=KILL', '--full'], command);
    const endMs = performance.now() + 3000;
    while (performance.now() < endMs) {
      const { code, output } = await run('squeue', ['-h'], command);
      if (code !== 0 || output.trim() === '') return;
      await sleep(50);
    }
  }

  #spawn(name, args) {
    const child = spawn(`/usr/sbin/${name}`, args, {
      cwd: this.folder,
      env: { PATH: process.env.PATH, ...this.environment, ...markOf(this.#id) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const daemon = { child, said: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (daemon.said = (daemon.said + chunk.toString('utf8')).slice(-4000)));
    }
    daemon.ended = new Promise((done) => {
      child.once('exit', done);
      child.once('error', done);
    });
    this.#daemons.set(name, daemon);
  }

  async #until(what, isSo) {
    const endMs = performance.now() + IDLE_WITHIN_MS;
    while (!(await isSo())) {
      const dead = [...this.#daemons].find(([, { child }]) => child.exitCode !== null);
      if (dead !== undefined || performance.now() > endMs) {
        const said = [...this.#daemons].map(([name, daemon]) => `${name}: ${lastLines(daemon.said, 6)}`);
        const why = dead ? `${dead[0]} ended` : `it took longer than ${IDLE_WITHIN_MS / 1000} s`;
        throw new SetupError(`Waiting till ${what}: ${why}.\n${said.join('\n')}`);
      }
      await sleep(50);
    }
  }
}

async function writeConfiguration(folder) {
  // The daemons' socket is for every user of the machine that may submit.
  await chmod(folder, 0o755);
  for (const name of ['state', 'spool']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'munge.key'), randomBytes(64), { mode: 0o400 });
  // slurmd believes in a GPU whose device file is there; nothing here looks into it.
  for (let gpu = 0; gpu < NODE.gpus; gpu++) await writeFile(join(folder, `gpu${gpu}`), '');
  await writeFile(
    join(folder, 'gres.conf'),
    `NodeName=${NODE.name} Name=gpu File=${join(folder, `gpu[0-${NODE.gpus - 1}]`)}\n`,
  );
  const ports = { controller: await freePort(), node: await freePort() };
  await writeFile(join(folder, 'slurm.conf'), slurmConf(folder, ports));
}

function slurmConf(folder, ports) {
  return `ClusterName=sluice
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=${ports.controller}
SlurmdPort=${ports.node}
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd.log
# Control groups are not to be had in every container.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
ReturnToService=2
KillWait=3
MessageTimeout=5
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=${NODE.name} NodeAddr=127.0.0.1 CPUs=${NODE.cpus} RealMemory=${NODE.memoryMib} Gres=gpu:${NODE.gpus} Feature=${NODE.name}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;
}
