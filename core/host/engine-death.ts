import type { Services } from './services';

/**
 * Calls back once when a run failed because the executor thread is gone: this process can't run anything any more, and
 * whoever started it should start it again.
 */
export function onEngineDeath(services: Services, ended: (reason: string) => void): void {
  const unsubscribe = services.bus.subscribe((message) => {
    if (message.event !== 'run') return;
    const { id, error } = message.payload;
    // Runs of other processes are told too; their engines' deaths are not this one's.
    if (error?.code !== 'engine-down' || !services.runs.isOwn(id)) return;
    unsubscribe();
    ended(error.message);
  });
}
