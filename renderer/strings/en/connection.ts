/** What the page itself tells of its connection to the engine. */
export const connection = {
  stopped: (reason: string): string => `Stopped because ${reason}. Start it again once the engine is ok.`,
  forgotten: 'The engine was started anew meanwhile and knows nothing of this run. Start it again.',
  stillStarting: 'the engine is still starting',
  starting: 'the engine is starting',
  renewed: 'the connection to the engine was renewed',
  hostLost: 'the connection to the engine’s host was lost',
  hostEnded: (why: string): string => `the host ended: ${why.replace(/\.$/, '')}`,
  hostSilent: 'the engine’s host does not answer',
  broke: 'the connection broke',
  answered: (status: number, text: string): string => `the host answered ${status} ${text}`,
  uploadFailed: (name: string, why: string): string =>
    `Upload of ${name} failed: ${why}. Check the connection and try again.`,
  uploadCancelled: (name: string): string => `Upload of ${name} was cancelled.`,
  noKeychain: 'a browser has no keychain',
  notKept: (why: string): string => `The token can't be kept: ${why}. Use the desktop console.`,
} as const;
