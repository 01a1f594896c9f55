import { readFileSync } from 'node:fs';

/** `PID-START`: names this process among all since the machine was started. Also a file name. */
export function processMark(): string {
  return `${process.pid}-${startOf(process.pid)}`;
}

/** Whether the process that a mark names is still there. Text that is no mark names nobody. */
export function isProcessAlive(mark: string): boolean {
  const [pidText = '', start = ''] = mark.split('-');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // Process ids come round again: the same one started at another time is somebody else.
  const startNow = startOf(pid);
  return start === '' || startNow === '' || start === startNow;
}

/** When a process started, in clock ticks since boot; '' where the system doesn't tell. */
function startOf(pid: number): string {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return ''; // no such process, or no /proc on this system
  }
  // The name, in brackets, may hold spaces; the start is field 22 (proc_pid_stat(5)).
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
