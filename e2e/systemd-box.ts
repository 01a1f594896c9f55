import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const BOOT_WITHIN_MS = 60_000;

/** A machine within this one that systemd starts: its own processes, network and control groups, and a copy of `/`. */
export interface SystemdBox {
  /** Runs a command in it, as root. @throws what it printed, when it fails. */
  readonly run: (command: string, ...args: readonly string[]) => Promise<string>;
  /** Puts a file of this machine into it. */
  readonly put: (from: string, to: string) => void;
  /** Where a path of the box is found from outside. */
  readonly path: (inside: string) => string;
  /** A program of this machine that runs in the box's network. @returns a script that starts it. */
  readonly inItsNetwork: (program: string) => string;
  /** All that runs in it is killed, and what it wrote is gone. */
  readonly end: () => Promise<void>;
}

/** Why there can be no box on this machine, if there can't. */
export function boxObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'systemd runs on Linux only';
  if (process.getuid?.() !== 0) return 'namespaces with a systemd of their own are for root';
  const missing = ['/lib/systemd/systemd', '/usr/bin/nsenter', '/usr/bin/unshare'].find(
    (path) => !existsSync(path),
  );
  if (missing !== undefined) return `${missing} is missing (Debian: systemd, util-linux)`;
  const refused = refusal();
  return refused === undefined
    ? undefined
    : `this machine gives no room for a systemd of its own: ${refused}`;
}

/** What containers and old kernels refuse even root. */
const ROOM = `set -e
mount --make-rprivate /
mount -t tmpfs box "$BOX"
mkdir "$BOX/upper" "$BOX/work" "$BOX/root" "$BOX/groups"
mount -t overlay -o "lowerdir=/,upperdir=$BOX/upper,workdir=$BOX/work" box "$BOX/root"
mount -t cgroup2 cgroup2 "$BOX/groups"
mkdir "$BOX/groups/$GROUP"
rmdir "$BOX/groups/$GROUP"
`;

function refusal(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-systemd-'));
  try {
    const namespaces = ['--mount', '--pid', '--fork', '--uts', '--ipc', '--net'];
    const env = { PATH, BOX: folder, GROUP: groupName() };
    const { status, stderr } = spawnSync('unshare', [...namespaces, 'sh', '-c', ROOM], {
      env,
      encoding: 'utf8',
    });
    return status === 0 ? undefined : stderr.trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function groupName(): string {
  return `sluice-box-${randomBytes(6).toString('hex')}`;
}

/**
 * The new root is an overlay: the machine's files below, what is written in memory. What belongs to the kernel as a
 * whole (/sys, /proc/sys) can only be read, so that systemd leaves it alone. Timers would ask for Debian's updates.
 */
const BOOT = `set -e
mount --make-rprivate /
mount -t tmpfs box "$BOX"
mkdir "$BOX/upper" "$BOX/work" "$BOX/root"
mount -t overlay -o "lowerdir=/,upperdir=$BOX/upper,workdir=$BOX/work" box "$BOX/root"
cd "$BOX/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for at in run tmp dev; do mount -t tmpfs -o mode=755 box $at; done
chmod 1777 tmp
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 box dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mkdir -p run/systemd/system
ln -s /dev/null run/systemd/system/timers.target
ip link set lo up
mkdir -p before
pivot_root . before
umount -l /before
rmdir /before
exec env -i container=sluice PATH=${PATH} /lib/systemd/systemd --unit=basic.target
`;

/** A group of its own in the unified hierarchy, for systemd to divide. */
const GROUPS = `set -e
mount --make-rprivate /
mount -t cgroup2 cgroup2 "$BOX"
`;

/**
 * Starts a box and waits until its systemd is up.
 *
 * @throws when this machine does not let it: with what it said.
 */
export async function startSystemdBox(): Promise<SystemdBox> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-systemd-'));
  const group = groupName();
  const env = { PATH, BOX: join(folder, 'box'), GROUP: group, BOOT };
  mkdirSync(env.BOX);
  const inner = 'exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --net sh -c "$BOOT"';
  const script = `${GROUPS}mkdir "$BOX/$GROUP"\necho $$ >"$BOX/$GROUP/cgroup.procs"\numount "$BOX"\n${inner}`;
  const child = spawn('unshare', ['--mount', 'sh', '-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = async (): Promise<void> => {
    await killed(child);
    const remove = `${GROUPS}[ ! -e "$BOX/$GROUP" ] || find "$BOX/$GROUP" -depth -type d -exec rmdir {} \\;`;
    execFileSync('unshare', ['--mount', 'sh', '-c', remove], { env });
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const pid = await bootedPid(child);
    return boxOf(pid, folder, end);
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

function boxOf(pid: number, folder: string, end: () => Promise<void>): SystemdBox {
  const path = (inside: string): string => `/proc/${pid}/root${inside}`;
  return {
    run: (command, ...args) => runIn(pid, command, ...args),
    put: (from, to) => copyFileSync(from, path(to)),
    path,
    inItsNetwork: (program) => {
      const script = join(folder, 'in-its-network');
      writeFileSync(script, `#!/bin/sh\nexec nsenter --target ${pid} --net -- '${program}' "$@"\n`, {
        mode: 0o755,
      });
      return script;
    },
    end,
  };
}

async function runIn(pid: number, command: string, ...args: readonly string[]): Promise<string> {
  const into = ['--target', String(pid), ...'-m -p -u -i -n -C -r -w'.split(' '), '--'];
  const env = { PATH, LC_ALL: 'C.UTF-8' };
  const { stdout } = await execute('nsenter', [...into, command, ...args], { env });
  return stdout.trim();
}

/** The process that is the box's first, once its systemd has started what it starts. */
async function bootedPid(child: ChildProcess): Promise<number> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  }
  const endMs = performance.now() + BOOT_WITHIN_MS;
  let why = '';
  while (child.exitCode === null && performance.now() < endMs) {
    await new Promise((done) => setTimeout(done, 100));
    const first = firstWithin(child);
    if (first === undefined || !isSystemd(first)) continue;
    try {
      await runIn(first, 'systemctl', 'start', 'basic.target');
      return first;
    } catch (thrown) {
      why = String((thrown as { readonly stderr?: string }).stderr ?? thrown); // its bus is not there yet
    }
  }
  throw new Error(`systemd did not come up in a namespace (exit ${child.exitCode}): ${said}${why}`);
}

function isSystemd(pid: number): boolean {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'systemd';
}

/** Its first process last of all: the kernel reaps that one once the others of its namespace are gone. */
function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    child.once('exit', () => done());
    const first = firstWithin(child);
    if (first === undefined) child.kill('SIGKILL');
    else process.kill(first, 'SIGKILL');
  });
}

function firstWithin({ pid }: ChildProcess): number | undefined {
  const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return first === '' ? undefined : Number(first);
}
