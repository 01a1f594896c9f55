import { SluiceError } from '../../contract';

/** @param option that chooses the port on the command line. */
export function listenError(host: string, port: number, option: string, cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  const problem = cause instanceof Error ? cause.message : String(cause);
  const isTaken = problem.includes('EADDRINUSE');
  return new SluiceError(
    isTaken ? 'conflict' : 'bad-input',
    isTaken
      ? `Port ${port} of ${host} is taken. Choose another with ${option} (0: any free one).`
      : `Can't listen on ${host} port ${port}: ${problem}.`,
    { host, port },
    { cause },
  );
}
