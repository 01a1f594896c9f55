import { spawn } from 'node:child_process';
import { SetupError } from './terminal.mjs';

/**
 * Starts a virtual X display on the first free number.
 *
 * @returns {Promise<{display: string, stop: () => Promise<void>}>} `display` is for DISPLAY, e.g. `:99`
 * @throws SetupError when Xvfb is missing or does not come up within 15 s.
 */
export function startXvfb() {
  return new Promise((done, fail) => {
    // -displayfd lets the server choose a free number and tell it once it accepts connections.
    const args = ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp', '-noreset'];
    const server = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const endWithUs = () => {
      server.kill('SIGTERM');
      process.exit(143);
    };
    process.once('SIGTERM', endWithUs);
    server.once('exit', () => process.off('SIGTERM', endWithUs));
    const timer = setTimeout(() => {
      server.kill('SIGKILL');
      fail(new SetupError('Xvfb did not come up within 15 s.'));
    }, 15_000);
    server.once('error', (error) => {
      clearTimeout(timer);
      fail(new SetupError(`Xvfb could not be started (${error.message}). Install the package xvfb.`));
    });
    server.once('exit', (code) => {
      clearTimeout(timer);
      fail(new SetupError(`Xvfb ended at once (exit ${code}). Is /tmp/.X11-unix writable?`));
    });
    let said = '';
    server.stdio[3].on('data', (chunk) => {
      said += chunk.toString('utf8');
      // The number and its newline may come apart; a pipe closed between the two would end the server.
      if (!said.endsWith('\n')) return;
      clearTimeout(timer);
      server.unref();
      server.stdio[3].unref();
      done({ display: `:${said.trim()}`, stop: () => stop(server) });
    });
  });
}

function stop(server) {
  if (server.exitCode !== null || server.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    server.once('exit', () => done());
    server.ref();
    server.kill('SIGTERM');
  });
}
