const colour = process.stderr.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** The oldest Node the build tools (Vite 8, ESLint 10) and Electron's downloader run on. */
const OLDEST_NODE = [20, 19];

/** A failure whose message is meant for the person at the terminal: no stack is shown. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Names the step that starts now. Everything here goes to stderr: stdout belongs to the commands that are run. */
export function step(text) {
  process.stderr.write(`${paint('1;36', '>')} ${text}\n`);
}

export function note(text) {
  process.stderr.write(`  ${text}\n`);
}

export function warn(text) {
  process.stderr.write(`${paint('1;33', '!')} ${text}\n`);
}

/** Runs a script's main function: a `SetupError` ends it with its message, anything else with its stack. */
export async function main(body) {
  try {
    checkNode();
    process.exitCode = await body();
  } catch (error) {
    const known = error instanceof SetupError;
    process.stderr.write(
      `${paint('1;31', 'x')} ${known ? error.message : (error?.stack ?? String(error))}\n`,
    );
    process.exitCode = 1;
  }
}

/** @throws SetupError on a Node too old to build Sluice. */
function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [wantMajor, wantMinor] = OLDEST_NODE;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new SetupError(
    `Sluice is built with Node ${wantMajor}.${wantMinor} or newer; this is Node ${process.versions.node} ` +
      `(${process.execPath}). Install a current Node 20, 22 or 24 and run the same command again.`,
  );
}
