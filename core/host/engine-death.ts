import type { Services } from './services';

/**
 * Calls back once when a run failed because the executor thread is gone: this process can't run anything any more, and
 * whoever started it should start it again.
 */
export function onEngineDeath(services: Services, ended: (reason: string) => void): void {
  const unsubscribe = services.bus.subscribe((message) => {
    if (message.event !== 'run' || message.payload.error?.code !== 'engine-down') return;
    unsubscribe();
    ended(message.payload.error.message);
  });
}
