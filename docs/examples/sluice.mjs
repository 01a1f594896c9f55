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
export async function startServer(...args) {
  console.log(`$ sluice serve ${args.join(' ')}`);
  const child = spawn(process.execPath, [CLI, 'serve', '--port', '0', ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let printed = '';
  const url = await new Promise((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`sluice serve ended with ${code}: ${printed}`)));
    child.stdout.on('data', (text) => {
      printed += text;
      const found = /"url": "([^"]+)"/.exec(printed);
      if (found) resolve(found[1]);
    });
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, stop };
}

export function check(isTrue, what) {
  if (!isTrue) throw new Error(`not as expected: ${what}`);
  console.log(`✓ ${what}`);
}
