const colour = process.stderr.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Major versions and the oldest minor of each that the build tools (Vite 8) and Electron's downloader run on. */
const OLDEST_MINORS = [
  [20, 19],
  [22, 12],
];
const NEWEST_MAJOR = 22;

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

/** @throws SetupError on a Node that Sluice can't be built with. */
function checkNode() {
  const problem = nodeProblem(process.versions.node);
  if (problem === undefined) return;
  throw new SetupError(
    `${problem} (${process.execPath}). Install a current Node 22 or 24 and run the same command again.`,
  );
}

/** @returns {string | undefined} why Sluice can't be built with a Node of that version */
export function nodeProblem(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = OLDEST_MINORS.some(([of, oldest]) => major === of && minor >= oldest);
  if (isEnough || major > NEWEST_MAJOR) return undefined;
  const wanted = OLDEST_MINORS.map(([of, oldest]) => `${of}.${oldest}`).join(' or ');
  return `Sluice is built with Node ${wanted} or newer; this is Node ${version}`;
}
