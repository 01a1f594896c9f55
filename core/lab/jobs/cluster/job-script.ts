import type { JobSpec } from '../job-engine';

import { QUOTE_PROLOGUE, quoteForScript } from './shell-quote';

/** Files that the script reads and writes in the job's folder. */
export const SCRIPT_FILES = {
  /** Made by the first script that starts; the others end without having run anything. Holds the scheduler's id, if any. */
  claim: 'claim',
  /** Seconds since the Unix epoch. */
  started: 'started',
  /** The program's exit code as a shell tells it, and the seconds since the Unix epoch. */
  ended: 'ended',
  /** There when the job shall end: the seconds that the program has for it. */
  stop: 'stop',
} as const;

/** A job's processes that outlive its program are asked to end, and killed this much later. */
const LEFTOVER_SEC = 2;

/**
 * A POSIX shell script that runs the job once, however often it is started, and tells in files how it went. Sent SIGTERM
 * when the stop file is there, it kills what is left of the job after the seconds in it; with that, jobs end also when
 * nobody watches them any more.
 *
 * @param folder the job's, absolute; the machine that runs the script must see it under the same name.
 * @param idVariable where the scheduler tells a job its id.
 */
export function jobScript(folder: string, spec: JobSpec, idVariable?: string): string {
  return `#!/bin/sh
# Made by Sluice.
${QUOTE_PROLOGUE}
here=${quoteForScript(folder)}
if ! (set -C; echo "${idVariable ? `\${${idVariable}-}` : ''}" >"$here/${SCRIPT_FILES.claim}") 2>/dev/null; then
  if [ -e "$here/${SCRIPT_FILES.claim}" ]; then exit 0; fi
  echo "Sluice: can't write to $here on $(uname -n). Put the lab's folder on a file system that all nodes share." >&2
  exit 73
fi
if [ -e "$here/${SCRIPT_FILES.stop}" ]; then exit 143; fi
exec >>${quoteForScript(spec.logFile)} 2>&1
date +%s >"$here/${SCRIPT_FILES.started}"
kill_later() { (sleep "$1" && kill -KILL 0) >/dev/null 2>&1 & }
on_stop() { if read -r grace <"$here/${SCRIPT_FILES.stop}"; then kill_later "$grace"; fi; }
trap on_stop TERM
(
${runProgram(spec)}
) &
program=$!
wait "$program"
code=$?
# A signal ends the waiting, not the program.
while kill -0 "$program" 2>/dev/null; do
  wait "$program"
  code=$?
done
trap '' TERM
# A signal that came with the program's end hid its code; 127 says that there is no other.
if [ "$code" -gt 128 ]; then
  wait "$program"
  told=$?
  if [ "$told" -ne 127 ]; then code=$told; fi
fi
echo "$code $(date +%s)" >"$here/${SCRIPT_FILES.ended}.new"
mv "$here/${SCRIPT_FILES.ended}.new" "$here/${SCRIPT_FILES.ended}"
if [ -e "$here/${SCRIPT_FILES.stop}" ]; then kill -KILL 0; fi
kill -TERM 0
kill_later ${LEFTOVER_SEC}
exit "$code"
`;
}

/** Names that every POSIX shell hands on; the others are given by env(1). */
const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Bash lets nobody set them. */
const READ_ONLY = new Set(['UID', 'EUID', 'PPID', 'SHELLOPTS', 'BASHOPTS', 'BASH_VERSINFO', '_']);

/** Values are exported where they can be: arguments of env(1) show in the list of processes for a moment. */
function runProgram(spec: JobSpec): string {
  const variables = Object.entries(spec.environment);
  const canExport = ([name]: [string, string]): boolean => SHELL_NAME.test(name) && !READ_ONLY.has(name);
  const exported = variables
    .filter(canExport)
    .map(([name, value]) => `export ${name}=${quoteForScript(value)}`);
  const others = variables.filter((variable) => !canExport(variable));
  const program = spec.command.map(quoteForScript).join(' ');
  const assignments = others.map(([name, value]) => quoteForScript(`${name}=${value}`)).join(' ');
  // nice(1) stands between, because env(1) takes a program with "=" in its name for a variable.
  const prefix = others.length === 0 ? '' : `/usr/bin/env ${assignments} /usr/bin/nice -n 0 `;
  return [`cd -- ${quoteForScript(spec.folder)} || exit 126`, ...exported, `exec ${prefix}${program}`].join(
    '\n',
  );
}
