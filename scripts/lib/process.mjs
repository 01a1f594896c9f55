import { spawn } from 'node:child_process';
import { ROOT } from './paths.mjs';

/**
 * Runs a command to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{cwd?: string, env?: Record<string, string>, timeoutMs?: number, show?: boolean}} options
 *   `show`: pass its output through as it comes instead of collecting it.
 * @returns {Promise<{code: number, output: string, timedOut: boolean}>} `code` is 127 when it could not be started
 *   and 128 + n when signal n ended it; `output` is stdout and stderr as they came (empty with `show`).
 */
export function run(command, args, options = {}) {
  const { cwd = ROOT, env = {}, timeoutMs = 0, show = false } = options;
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    const chunks = [];
    let timedOut = false;
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    const timers = timeoutMs > 0 ? endAfter(child, timeoutMs, () => (timedOut = true)) : [];
    const finish = (code, extra = '') => {
      timers.forEach(clearTimeout);
      done({ code, output: Buffer.concat(chunks).toString('utf8') + extra, timedOut });
    };
    child.on('error', (error) => finish(127, error.message));
    child.on('close', (code) => finish(code ?? 128));
  });
}

function endAfter(child, timeoutMs, onTimeout) {
  const timers = [];
  timers.push(
    setTimeout(() => {
      onTimeout();
      child.kill('SIGTERM');
      timers.push(setTimeout(() => child.kill('SIGKILL'), 5000));
    }, timeoutMs),
  );
  return timers;
}

/**
 * Runs a command in the foreground of this terminal until it ends. Ctrl-C reaches it through the terminal; a signal
 * sent to this process alone is passed on.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{env?: Record<string, string>}} options
 * @returns {Promise<{code: number, output: string, ms: number}>} `output` is the last part of its stderr.
 */
export function runForeground(command, args, options = {}) {
  const startedMs = performance.now();
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['inherit', 'inherit', 'pipe'],
    });
    let tail = '';
    child.stderr.on('data', (chunk) => {
      process.stderr.write(chunk);
      tail = (tail + chunk.toString('utf8')).slice(-8000);
    });
    // The terminal sends Ctrl-C to the child too: give it time to end by itself before insisting.
    const onInterrupt = () => setTimeout(() => child.kill('SIGTERM'), 3000).unref();
    const onTerminate = () => child.kill('SIGTERM');
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', onTerminate);
    const finish = (code, extra = '') => {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      done({ code, output: tail + extra, ms: performance.now() - startedMs });
    };
    child.on('error', (error) => finish(127, error.message));
    child.on('close', (code, signal) => finish(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
