// The command line as a program calls it. Used by all examples.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../out/main/cli.js', import.meta.url));

/** Runs `sluice ARGS --json`. @returns what it printed, as an object. */
export async function sluice(...args) {
  console.log(`$ sluice ${args.map((arg) => (/[\s"{]/.test(arg) ? `'${arg}'` : arg)).join(' ')}`);
  const child = spawn(process.execPath, [CLI, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (output.stdout += text));
  child.stderr.on('data', (text) => (output.stderr += text));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`sluice ${args[0]} ended with ${code}: ${output.stdout}${output.stderr}`);
  return JSON.parse(output.stdout);
}

/** Starts `sluice serve ARGS` at a free port. @returns its address, and the way to stop it. */
export function startServer(...args) {
  return start('serve', args, ({ url }) => url !== undefined);
}

/** Starts `sluice host ARGS` at a free port. @returns what it printed (port, certificate), and the way to stop it. */
export function startHost(...args) {
  return start('host', args, ({ port }) => port !== undefined);
}

async function start(command, args, isReady) {
  console.log(`$ sluice ${command} ${args.join(' ')}`);
  const child = spawn(process.execPath, [CLI, command, '--port', '0', ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let printed = '';
  const told = await new Promise((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`sluice ${command} ended with ${code}: ${printed}`)));
    child.stdout.on('data', (text) => {
      printed += text;
      const found = parsed(printed);
      if (found !== undefined && isReady(found)) resolve(found);
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { ...told, stop };
}

/** Undefined while the text is not a whole document. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function check(isTrue, what) {
  if (!isTrue) throw new Error(`not as expected: ${what}`);
  console.log(`✓ ${what}`);
}
